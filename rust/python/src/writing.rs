//! A register of memory that is being written, so that two calls never write the same bytes at once.
//!
//! NumPy's borrow checks are not enough: they pass two views of the same memory.

use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

use pyo3::prelude::*;

use crate::errors::penpal_error;

/// The address ranges, with the process that writes them. A forked child has a copy of the register, but not the
/// threads that write.
static WRITTEN: Mutex<Vec<(u32, Range<usize>)>> = Mutex::new(Vec::new());

/// Locked under the GIL only, so that no process is forked while it is locked, and never while Python code may run.
fn written() -> MutexGuard<'static, Vec<(u32, Range<usize>)>> {
    WRITTEN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Permission to write a range of memory, released on drop.
pub struct Writing(u32, Range<usize>);

impl Writing {
    /// Registers memory. `read` has the ranges that the same call reads.
    ///
    /// # Errors
    /// When another call writes or the same call reads part of the memory.
    pub fn begin(py: Python<'_>, memory: &[f32], mut read: impl Iterator<Item = Range<usize>>) -> PyResult<Self> {
        let start = memory.as_ptr() as usize;
        let range = start..start + size_of_val(memory);
        let overlaps = |other: &Range<usize>| other.start < range.end && range.start < other.end;
        if read.any(|other| overlaps(&other)) {
            return Err(penpal_error(py, "out overlaps the memory of the rows; pass a buffer of its own"));
        }
        let process = std::process::id();
        // Not while an error is made: that runs Python code, in which another thread may take the GIL and wait here.
        let is_free = {
            let mut written = written();
            let is_free = !written.iter().any(|(writer, other)| *writer == process && overlaps(other));
            if is_free {
                written.push((process, range.clone()));
            }
            is_free
        };
        if !is_free {
            return Err(penpal_error(
                py,
                "out is being written by another thread; give each thread a buffer of its own",
            ));
        }
        Ok(Writing(process, range))
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        let mut written = written();
        if let Some(index) = written.iter().position(|(writer, other)| (*writer, other) == (self.0, &self.1)) {
            written.swap_remove(index);
        }
    }
}
