//! The only place where errors become Python's `PenpalError`.

use penpal_core::RowError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;

/// `PenpalError` with a message only.
pub fn penpal_error(py: Python<'_>, message: impl Into<String>) -> PyErr {
    match class(py).and_then(|class| class.call1((message.into(),))) {
        Ok(error) => PyErr::from_value(error),
        Err(error) => error,
    }
}

/// The error of one row as (row, stroke or None, reason, text).
pub type RowProblem = (usize, Option<usize>, &'static str, String);

/// A row's error in a form that Python can raise or write to a column.
pub fn row_problem((row, error): (usize, RowError)) -> RowProblem {
    (row, error.stroke(), error.reason(), error.to_string())
}

/// A row's error as `PenpalError`.
pub fn row_error(py: Python<'_>, row: usize, error: RowError) -> PyErr {
    static MAKE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let make = MAKE.import(py, "penpal_fast.errors", "row_error");
    match make.and_then(|make| make.call1(row_problem((row, error)))) {
        Ok(error) => PyErr::from_value(error),
        Err(error) => error,
    }
}

fn class(py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    CLASS.import(py, "penpal_fast.errors", "PenpalError")
}
