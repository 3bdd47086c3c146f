//! Threads for a call from Python.

use penpal_core::Threads;
use pyo3::prelude::*;

use crate::errors::penpal_error;

/// `count` threads. 0 means one for each processor.
pub fn start_threads(py: Python<'_>, count: usize) -> PyResult<Threads> {
    Threads::new(count).map_err(|error| penpal_error(py, format!("cannot start {count} threads: {error}")))
}
