//! The line width of a call from Python.

use penpal_core::{LineWidth, SIDE};
use pyo3::prelude::*;

use crate::errors::penpal_error;

pub fn checked_line_width(py: Python<'_>, pixels: f64) -> PyResult<LineWidth> {
    let refused = || penpal_error(py, format!("line_width must be above 0 and at most {SIDE}, got {pixels}"));
    LineWidth::new(pixels).ok_or_else(refused)
}
