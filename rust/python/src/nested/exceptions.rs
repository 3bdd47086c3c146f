//! Whose an exception is that was raised while a row was read.

use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

/// Whether the row's own objects raised an exception. What ends the program is not theirs (`KeyboardInterrupt`), nor
/// what the handler of a signal raised within one of their methods (`TimeoutError` of an alarm).
pub fn is_of_row(py: Python<'_>, error: &PyErr) -> PyResult<bool> {
    static IS_FROM_HANDLER: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    if !error.is_instance_of::<PyException>(py) {
        return Ok(false);
    }
    let Some(trace) = error.traceback(py) else {
        return Ok(true); // No Python code ran, and handlers are Python code.
    };
    let is_from_handler = IS_FROM_HANDLER.import(py, "penpal_fast.interrupts", "is_from_handler")?;
    Ok(!is_from_handler.call1((trace,))?.is_truthy()?)
}
