//! `Backpropagation`: the gradient by the numbers of the network.

use std::sync::{Mutex, MutexGuard, PoisonError};

use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1, PyReadonlyArray4, PyUntypedArrayMethods};
use penpal_core::{Backpropagation as CoreBackpropagation, Layer, Parameters, SIDE};
use pyo3::prelude::*;

use crate::errors::penpal_error;
use crate::rows::start_threads;

type Array<'py> = Bound<'py, PyArray1<f32>>;

/// Weights, scale and shift of a convolution with batch norm.
type NormedLayer<'py> = (PyReadonlyArray1<'py, f32>, PyReadonlyArray1<'py, f32>, PyReadonlyArray1<'py, f32>);

/// A network in training, and what it last made of a batch.
#[pyclass(frozen, module = "penpal_fast._core")]
pub struct Backpropagation(Mutex<CoreBackpropagation>);

impl Backpropagation {
    fn lock(&self) -> MutexGuard<'_, CoreBackpropagation> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[pymethods]
impl Backpropagation {
    /// A network of the given channels, with batch norm; 0 threads means one for each processor.
    #[new]
    fn new(py: Python<'_>, channels: Vec<usize>, projection: bool, epsilon: f32, threads: usize) -> PyResult<Self> {
        let threads = start_threads(py, threads)?;
        CoreBackpropagation::new(&channels, projection, epsilon, threads)
            .map(|network| Backpropagation(Mutex::new(network)))
            .ok_or_else(|| penpal_error(py, format!("a network of the channels {channels:?} cannot be trained here")))
    }

    /// The logits of pictures, float32 [N, 256, 256, 1], and for each layer the means and the variances of its sums.
    ///
    /// The layers are the stem, then each block's two and, if it has one, its projection; weights are flattened
    /// [outputs, kernel, kernel, inputs].
    fn forward<'py>(
        &self,
        py: Python<'py>,
        layers: Vec<NormedLayer<'py>>,
        head_weight: PyReadonlyArray1<'py, f32>,
        head_bias: f32,
        pictures: PyReadonlyArray4<'py, f32>,
    ) -> PyResult<(Array<'py>, Vec<(Array<'py>, Array<'py>)>)> {
        let layers = layers.iter().map(|(weights, scale, shift)| Layer {
            weights: weights.as_array().to_vec(),
            scale: scale.as_array().to_vec(),
            shift: shift.as_array().to_vec(),
        });
        let parameters = Parameters { layers: layers.collect(), head: head_weight.as_array().to_vec(), head_bias };
        if pictures.shape()[1..] != [SIDE, SIDE, 1] || pictures.shape()[0] == 0 {
            return Err(penpal_error(py, "pictures must have the shape [N, 256, 256, 1], with N above 0"));
        }
        let pictures = pictures.as_array();
        let pictures = pictures.to_slice().ok_or_else(|| penpal_error(py, "pictures must be C-contiguous"))?;
        let outcome = py.detach(|| {
            let mut network = self.lock();
            network.fits(&parameters).then(|| network.forward(parameters, pictures))
        });
        let (logits, statistics) =
            outcome.ok_or_else(|| penpal_error(py, "these are not the layers of the network"))?;
        let statistics = statistics.into_iter().map(|pair| pair.map(|values| values.into_pyarray(py)).into());
        Ok((logits.into_pyarray(py), statistics.collect()))
    }

    /// The gradient by the layers, the head's weights and its bias, from that by the logits of the last batch, float32 [N].
    #[expect(clippy::type_complexity, reason = "it is what Python gets")]
    fn backward<'py>(
        &self,
        py: Python<'py>,
        by_logits: PyReadonlyArray1<'py, f32>,
    ) -> PyResult<(Vec<(Array<'py>, Array<'py>, Array<'py>)>, Array<'py>, f32)> {
        let by_logits = by_logits.as_array().to_vec();
        let gradients = py.detach(|| self.lock().backward(&by_logits));
        let Parameters { layers, head, head_bias } = gradients
            .ok_or_else(|| penpal_error(py, "no batch of so many pictures went forward since the last call"))?;
        let layers = layers.into_iter().map(|Layer { weights, scale, shift }| {
            (weights.into_pyarray(py), scale.into_pyarray(py), shift.into_pyarray(py))
        });
        Ok((layers.collect(), head.into_pyarray(py), head_bias))
    }
}
