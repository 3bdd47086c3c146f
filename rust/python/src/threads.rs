//! Threads for a call from Python.

use std::sync::{Mutex, MutexGuard, TryLockError};

use penpal_core::Threads;
use pyo3::prelude::*;

use crate::errors::penpal_error;

/// `count` threads. 0 means one for each processor.
pub fn start_threads(py: Python<'_>, count: usize) -> PyResult<Threads> {
    Threads::new(count).map_err(|error| penpal_error(py, format!("cannot start {count} threads: {error}")))
}

/// What a mutex guards, or `None` while another thread uses it. Waiting for that thread may take for ever: in a process
/// that was forked meanwhile it does not run, and elsewhere it may wait for the GIL.
pub fn unused<T>(guarded: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    match guarded.try_lock() {
        Ok(guard) => Some(guard),
        Err(TryLockError::Poisoned(error)) => Some(error.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}
