//! `Engine`: the network in Rust.

use numpy::{PyReadonlyArray1, PyReadonlyArray4, PyReadwriteArray1, PyUntypedArrayMethods};
use penpal_core::{Engine as CoreEngine, Network, SIDE, Structure};
use pyo3::prelude::*;

use crate::arrays::{numbers, numbers_mut};
use crate::errors::{RowProblem, penpal_error, row_problem};
use crate::line_width::checked_line_width;
use crate::rows::Rows;
use crate::threads::start_threads;

/// Weights and bias of a convolution.
type Layer<'py> = (PyReadonlyArray1<'py, f32>, PyReadonlyArray1<'py, f32>);

fn owned(py: Python<'_>, (weights, bias): &Layer) -> PyResult<(Vec<f32>, Vec<f32>)> {
    Ok((numbers(py, weights, "weights")?.to_vec(), numbers(py, bias, "bias")?.to_vec()))
}

/// A network that is ready to score.
#[pyclass(frozen, module = "penpal_fast._core")]
pub struct Engine {
    engine: CoreEngine,
}

#[pymethods]
impl Engine {
    /// A network from its folded layers. Weights of a convolution are flattened [outputs, kernel, kernel, inputs].
    #[new]
    fn new(
        py: Python<'_>,
        stem: Layer,
        blocks: Vec<(Layer, Layer, Option<Layer>)>,
        head_weight: PyReadonlyArray1<f32>,
        head_bias: f32,
        line_width: f64,
    ) -> PyResult<Self> {
        let projection = blocks.iter().any(|(_, _, projection)| projection.is_some());
        let mut layers = vec![owned(py, &stem)?];
        for (first, second, projection) in &blocks {
            layers.extend([owned(py, first)?, owned(py, second)?]);
            layers.extend(projection.as_ref().map(|layer| owned(py, layer)).transpose()?);
        }
        let outputs: Vec<usize> = blocks.iter().map(|(_, (_, bias), _)| bias.len()).collect();
        let network = Network {
            structure: Structure::new(stem.1.len(), &outputs, projection),
            layers,
            head: numbers(py, &head_weight, "head_weight")?.to_vec(),
            head_bias,
        };
        let line_width = checked_line_width(py, line_width)?;
        let engine = CoreEngine::new(&network, line_width).map_err(|error| penpal_error(py, error.to_string()))?;
        Ok(Engine { engine })
    }

    /// Writes the logits of the rows from `start` on to `out`, float32 [N], NaN for bad rows. Returns the errors of bad
    /// rows as (row, stroke, reason, text). 0 threads means one for each processor.
    fn logits_into(
        &self,
        py: Python<'_>,
        rows: &Rows,
        mut out: PyReadwriteArray1<'_, f32>,
        start: usize,
        threads: usize,
    ) -> PyResult<Vec<RowProblem>> {
        let out = numbers_mut(py, &mut out, "out")?;
        let range = rows.checked_range(py, start, out.len())?;
        let threads = start_threads(py, threads)?;
        let (logits, problems) = py.detach(|| self.engine.logits(rows.source(), range, &threads));
        out.copy_from_slice(&logits);
        Ok(problems.into_iter().map(row_problem).collect())
    }

    /// Writes the logits of pictures, float32 [N, 256, 256, 1], to `out`, float32 [N].
    fn picture_logits_into(
        &self,
        py: Python<'_>,
        pictures: PyReadonlyArray4<'_, f32>,
        mut out: PyReadwriteArray1<'_, f32>,
        threads: usize,
    ) -> PyResult<()> {
        let out = numbers_mut(py, &mut out, "out")?;
        if pictures.shape() != [out.len(), SIDE, SIDE, 1] {
            return Err(penpal_error(py, "pictures must have the shape [N, 256, 256, 1], with N the length of out"));
        }
        let pictures = numbers(py, &pictures, "pictures")?;
        let threads = start_threads(py, threads)?;
        out.copy_from_slice(&py.detach(|| self.engine.picture_logits(pictures, &threads)));
        Ok(())
    }

    /// The stages of scoring rows on one thread as (stage, seconds, multiplications). Bad rows are skipped.
    fn profile(&self, py: Python<'_>, rows: &Rows) -> Vec<(String, f64, usize)> {
        let stages = py.detach(|| self.engine.profile(rows.source(), 0..rows.source().len()));
        stages.into_iter().map(|stage| (stage.name, stage.time.as_secs_f64(), stage.multiplications)).collect()
    }
}

/// Multiply-adds per second of one thread, measured in about 0.1 s.
#[pyfunction]
pub fn peak_multiplications(py: Python<'_>) -> f64 {
    py.detach(penpal_core::peak_multiplications)
}
