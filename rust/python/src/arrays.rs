//! NumPy arrays as slices. NumPy arrays may be misaligned and may skip numbers.

use numpy::ndarray::Dimension;
use numpy::{PyReadonlyArray, PyReadwriteArray};
use pyo3::prelude::*;

use crate::errors::penpal_error;

/// The numbers of an array.
pub fn numbers<'a, D: Dimension>(
    py: Python<'_>,
    array: &'a PyReadonlyArray<'_, f32, D>,
    name: &str,
) -> PyResult<&'a [f32]> {
    array.as_slice().map_err(|_| refused(py, name))
}

/// The numbers of an array, mutable.
pub fn numbers_mut<'a, D: Dimension>(
    py: Python<'_>,
    array: &'a mut PyReadwriteArray<'_, f32, D>,
    name: &str,
) -> PyResult<&'a mut [f32]> {
    array.as_slice_mut().map_err(|_| refused(py, name))
}

fn refused(py: Python<'_>, name: &str) -> PyErr {
    penpal_error(py, format!("{name} must be C-contiguous and aligned to 4 bytes"))
}
