//! `Rows`: rows of strokes that were checked once and can be rendered many times.

use std::ops::Range;
use std::sync::Arc;

use numpy::{PyArray1, PyArray2, PyArrayMethods, PyReadwriteArray4, PyUntypedArrayMethods};
use penpal_core::canvas::CanvasPoints;
use penpal_core::fit::Fit;
use penpal_core::{
    OwnedRows, Rows as CoreRows, SIDE, StrokeColumn, far_points, penpal_array, render_parts, render_rows,
};
use pyo3::prelude::*;
use pyo3_arrow::PyArray;

use crate::arrays::numbers_mut;
use crate::errors::{RowProblem, penpal_error, row_error, row_problem};
use crate::import::import_column;
use crate::line_width::checked_line_width;
use crate::nested;
use crate::threads::start_threads;
use crate::writing::{Addresses, Writing, addresses_of};

/// Rows of strokes, borrowed from Arrow memory or collected from nested Python.
#[pyclass(frozen, module = "penpal_fast._core")]
pub struct Rows {
    source: Source,
}

enum Source {
    /// Rows in borrowed memory, and where it is.
    Arrow(StrokeColumn, Addresses),
    Owned(OwnedRows),
}

impl Rows {
    pub fn source(&self) -> &dyn CoreRows {
        match &self.source {
            Source::Arrow(column, _) => column,
            Source::Owned(rows) => rows,
        }
    }

    /// Whether the rows are read from some of this memory.
    fn borrows(&self, memory: &[f32]) -> bool {
        matches!(&self.source, Source::Arrow(_, addresses) if addresses.overlap(&addresses_of(memory)))
    }

    /// The range of `count` rows from `start` on, if it is in bounds.
    pub fn checked_range(&self, py: Python<'_>, start: usize, count: usize) -> PyResult<Range<usize>> {
        let rows = self.source().len();
        let end = start.saturating_add(count);
        if end > rows {
            return Err(penpal_error(py, format!("rows {start} to {end} are out of range; there are {rows}")));
        }
        Ok(start..end)
    }
}

#[pymethods]
impl Rows {
    /// Rows from an Arrow array or stream (PyCapsule interface) or from a sequence of nested Python rows.
    ///
    /// In a record batch or table, `column` names the strokes.
    #[new]
    #[pyo3(signature = (source, column="strokes"))]
    fn new(source: &Bound<'_, PyAny>, column: &str) -> PyResult<Self> {
        if source.hasattr("__arrow_c_stream__")? || source.hasattr("__arrow_c_array__")? {
            let column = import_column(source, column)?;
            let addresses = Addresses::new(column.memory());
            return Ok(Rows { source: Source::Arrow(column, addresses) });
        }
        Ok(Rows { source: Source::Owned(nested::convert(source)?) })
    }

    fn __len__(&self) -> usize {
        self.source().len()
    }

    /// The bad rows, as (row, stroke, reason, text).
    fn problems(&self, py: Python<'_>) -> Vec<RowProblem> {
        let source = self.source();
        let bad = py.detach(|| {
            let errors = (0..source.len()).filter_map(|row| source.row(row).err().map(|error| (row, error)));
            errors.collect::<Vec<_>>()
        });
        bad.into_iter().map(row_problem).collect()
    }

    /// Rows with points far from the rest, as (row, text, whether these hide the writing). 0 threads means one for each
    /// processor.
    fn notes(&self, py: Python<'_>, threads: usize) -> PyResult<Vec<(usize, String, bool)>> {
        let threads = start_threads(py, threads)?;
        let found = py.detach(|| far_points(self.source(), &threads));
        Ok(found.into_iter().map(|(row, points)| (row, points.to_string(), points.hides_writing)).collect())
    }

    /// The points of a row on the canvas, as (x, y) in pixels, for comparison with the reference.
    fn fitted(&self, py: Python<'_>, row: usize) -> PyResult<Vec<(f32, f32)>> {
        self.checked_range(py, row, 1)?;
        let strokes = self.source().row(row).map_err(|error| row_error(py, row, error))?;
        let mut points = CanvasPoints::default();
        Fit::new(&strokes).apply(&strokes, &mut points);
        Ok(points.x.into_iter().zip(points.y).collect())
    }

    /// The words of a row, each a list of strokes, each float64 [N, 2] of (x, y), N at least 1.
    ///
    /// Neighbouring strokes without a word level form one word. Words and strokes without points are left out.
    fn words<'py>(&self, py: Python<'py>, row: usize) -> PyResult<Vec<Vec<Bound<'py, PyArray2<f64>>>>> {
        self.checked_range(py, row, 1)?;
        let (strokes, words) = self.source().words(row).map_err(|error| row_error(py, row, error))?;
        let array = |points: Range<usize>| {
            let count = points.len();
            let values =
                points.flat_map(|point| [strokes.x(), strokes.y()].map(|axis| axis.get(point).unwrap_or(f64::NAN)));
            PyArray1::from_vec(py, values.collect()).reshape([count, 2])
        };
        words.into_iter().map(|word| word.into_iter().map(array).collect()).collect()
    }

    /// The rows as an Arrow array of words -> strokes -> points, as `words` has them; null for bad rows.
    fn to_penpal(&self, py: Python<'_>) -> PyResult<PyArray> {
        let array = py.detach(|| penpal_array(self.source()));
        let array = array.map_err(|error| penpal_error(py, format!("cannot make one array of the rows: {error}")))?;
        Ok(PyArray::from_array_ref(Arc::new(array)))
    }

    /// Renders the rows from `start` on into `out`, a C-contiguous float32 array [B, 256, 256, 1]. Returns the bad rows
    /// as (row, stroke, reason, text). Their pictures are blank. 0 threads means one for each processor.
    fn render_into(
        &self,
        py: Python<'_>,
        mut out: PyReadwriteArray4<'_, f32>,
        start: usize,
        line_width: f64,
        threads: usize,
    ) -> PyResult<Vec<RowProblem>> {
        let width = checked_line_width(py, line_width)?;
        let count = out.shape()[0];
        if out.shape() != [count, SIDE, SIDE, 1] {
            return Err(penpal_error(py, "out must have the shape [rows, 256, 256, 1]"));
        }
        let range = self.checked_range(py, start, count)?;
        let canvases = numbers_mut(py, &mut out, "out")?;
        let _writing = Writing::begin(py, canvases, self.borrows(canvases))?;
        let threads = start_threads(py, threads)?;
        let problems = py.detach(|| render_rows(self.source(), range, width, canvases, &threads));
        Ok(problems.into_iter().map(row_problem).collect())
    }

    /// Renders a row without each of its parts into `out`, a C-contiguous float32 array [P, 256, 256, 1]; what is left
    /// stays in place. `parts` has the part of each stroke, below P. 0 threads means one for each processor.
    fn render_parts_into(
        &self,
        py: Python<'_>,
        mut out: PyReadwriteArray4<'_, f32>,
        row: usize,
        parts: Vec<usize>,
        line_width: f64,
        threads: usize,
    ) -> PyResult<()> {
        let width = checked_line_width(py, line_width)?;
        let count = out.shape()[0];
        if out.shape() != [count, SIDE, SIDE, 1] {
            return Err(penpal_error(py, "out must have the shape [parts, 256, 256, 1]"));
        }
        self.checked_range(py, row, 1)?;
        let strokes = self.source().row(row).map_err(|error| row_error(py, row, error))?;
        if parts.len() != strokes.point_ranges().count() || parts.iter().any(|&part| part >= count) {
            return Err(penpal_error(py, format!("parts must be one number below {count} for each stroke")));
        }
        let canvases = numbers_mut(py, &mut out, "out")?;
        let _writing = Writing::begin(py, canvases, self.borrows(canvases))?;
        let threads = start_threads(py, threads)?;
        py.detach(|| render_parts(&strokes, &parts, width, canvases, &threads));
        Ok(())
    }
}
