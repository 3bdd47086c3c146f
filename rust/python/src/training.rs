//! `Backpropagation`: the gradient of the parameters of the network.

use std::sync::{Mutex, MutexGuard};

use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1, PyReadonlyArray4, PyUntypedArrayMethods};
use penpal_core::SIDE;
use penpal_training::{Backpropagation as CoreBackpropagation, Layer, Parameters};
use pyo3::prelude::*;

use crate::arrays::numbers;
use crate::errors::penpal_error;
use crate::threads::{start_threads, unused};

type Array<'py> = Bound<'py, PyArray1<f32>>;

/// Weights, scale and shift of a convolution with batch norm.
type NormedLayer<'py> = (PyReadonlyArray1<'py, f32>, PyReadonlyArray1<'py, f32>, PyReadonlyArray1<'py, f32>);

/// The means and the variances of a layer's sums.
type FixedStatistics<'py> = (PyReadonlyArray1<'py, f32>, PyReadonlyArray1<'py, f32>);

/// The gradients of each layer's weights, scale and shift, of the head's weights and of its bias.
type Gradients<'py> = (Vec<(Array<'py>, Array<'py>, Array<'py>)>, Array<'py>, f32);

/// A network in training. `backward` belongs to the last `forward`, so only one thread at a time may use an object.
#[pyclass(frozen, module = "penpal_fast._core")]
pub struct Backpropagation {
    network: Mutex<CoreBackpropagation>,
    threads: usize,
}

impl Backpropagation {
    fn lock(&self, py: Python<'_>) -> PyResult<MutexGuard<'_, CoreBackpropagation>> {
        let busy = "another thread uses this object, or did when this process was forked; give each its own";
        unused(&self.network).ok_or_else(|| penpal_error(py, busy))
    }
}

#[pymethods]
impl Backpropagation {
    /// A network with batch norm. `channels` has 2 to 7 entries. 0 threads means one for each processor.
    #[new]
    fn new(py: Python<'_>, channels: Vec<usize>, projection: bool, epsilon: f32, threads: usize) -> PyResult<Self> {
        let network = CoreBackpropagation::new(&channels, projection, epsilon).ok_or_else(|| {
            let needs = "it needs 2 to 7 layers of 1 channel or more, no fewer than the layer before has if shortcuts are \
                identities, and epsilon above 0";
            penpal_error(
                py,
                format!("a network with the channels {channels:?} and epsilon {epsilon} cannot be trained: {needs}"),
            )
        })?;
        Ok(Backpropagation { network: Mutex::new(network), threads })
    }

    /// The logits of pictures, float32 [N, 256, 256, 1], and for each layer the means and the unbiased variances of its
    /// sums. Batch norm uses the statistics of the batch, or `statistics`, if given. The logits are NaN if any
    /// intermediate value is not finite.
    ///
    /// The layers are the stem, then for each block its two layers and, if it has one, its projection. Weights are
    /// flattened [outputs, kernel, kernel, inputs].
    #[pyo3(signature = (layers, head_weight, head_bias, pictures, statistics = None))]
    fn forward<'py>(
        &self,
        py: Python<'py>,
        layers: Vec<NormedLayer<'py>>,
        head_weight: PyReadonlyArray1<'py, f32>,
        head_bias: f32,
        pictures: PyReadonlyArray4<'py, f32>,
        statistics: Option<Vec<FixedStatistics<'py>>>,
    ) -> PyResult<(Array<'py>, Vec<(Array<'py>, Array<'py>)>)> {
        let layers = layers.iter().map(|(weights, scale, shift)| {
            Ok(Layer {
                weights: numbers(py, weights, "weights")?.to_vec(),
                scale: numbers(py, scale, "scale")?.to_vec(),
                shift: numbers(py, shift, "shift")?.to_vec(),
            })
        });
        let layers = layers.collect::<PyResult<_>>()?;
        let parameters = Parameters { layers, head: numbers(py, &head_weight, "head_weight")?.to_vec(), head_bias };
        let fixed = statistics.map(|layers| {
            let each = layers.iter().map(|(means, variances)| {
                Ok([numbers(py, means, "means")?.to_vec(), numbers(py, variances, "variances")?.to_vec()])
            });
            each.collect::<PyResult<Vec<_>>>()
        });
        let fixed = fixed.transpose()?;
        if pictures.shape()[1..] != [SIDE, SIDE, 1] || pictures.shape()[0] == 0 {
            return Err(penpal_error(py, "pictures must have the shape [N, 256, 256, 1], with N above 0"));
        }
        let pictures = numbers(py, &pictures, "pictures")?;
        let threads = start_threads(py, self.threads)?;
        let mut lock = self.lock(py)?;
        let network = &mut *lock;
        let outcome = py.detach(|| network.forward(parameters, fixed.as_deref(), pictures, &threads));
        let (logits, statistics) = outcome
            .ok_or_else(|| penpal_error(py, "the layers or their statistics do not fit the network's channels"))?;
        let statistics = statistics.into_iter().map(|pair| pair.map(|values| values.into_pyarray(py)).into());
        Ok((logits.into_pyarray(py), statistics.collect()))
    }

    /// The gradients of the layers, the head's weights and its bias, from the gradient of the logits of the last batch,
    /// float32 [N].
    fn backward<'py>(&self, py: Python<'py>, by_logits: PyReadonlyArray1<'py, f32>) -> PyResult<Gradients<'py>> {
        let by_logits = numbers(py, &by_logits, "by_logits")?;
        let threads = start_threads(py, self.threads)?;
        let mut lock = self.lock(py)?;
        let network = &mut *lock;
        let gradients = py.detach(|| network.backward(by_logits, &threads));
        let Parameters { layers, head, head_bias } = gradients.ok_or_else(|| {
            penpal_error(py, "backward needs one forward call before it, with the same number of pictures")
        })?;
        let layers = layers.into_iter().map(|Layer { weights, scale, shift }| {
            (weights.into_pyarray(py), scale.into_pyarray(py), shift.into_pyarray(py))
        });
        Ok((layers.collect(), head.into_pyarray(py), head_bias))
    }
}
