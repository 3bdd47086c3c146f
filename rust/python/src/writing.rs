//! A register of memory that is being written, so that no two calls write the same bytes at once.
//!
//! NumPy's own borrow checks see one array object; two views of the same memory pass them.

use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

use pyo3::prelude::*;

use crate::errors::penpal_error;

/// The stretches, with the process that writes them: a forked child has a copy of its parent's memory, and nobody who
/// writes it.
static WRITTEN: Mutex<Vec<(u32, Range<usize>)>> = Mutex::new(Vec::new());

/// Taken under the GIL only, so that no process is forked while it is held.
fn written() -> MutexGuard<'static, Vec<(u32, Range<usize>)>> {
    WRITTEN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The right to write a stretch of memory, given back when dropped.
pub struct Writing(u32, Range<usize>);

impl Writing {
    /// Registers memory. `read` is what the same call reads.
    ///
    /// # Errors
    /// When another call is writing some of it, or this one reads some of it.
    pub fn begin(py: Python<'_>, memory: &[f32], mut read: impl Iterator<Item = Range<usize>>) -> PyResult<Self> {
        let start = memory.as_ptr() as usize;
        let range = start..start + size_of_val(memory);
        let overlaps = |other: &Range<usize>| other.start < range.end && range.start < other.end;
        if read.any(|other| overlaps(&other)) {
            return Err(penpal_error(py, "out overlaps the memory of the rows; pass a buffer of its own"));
        }
        let process = std::process::id();
        let mut written = written();
        if written.iter().any(|(writer, other)| *writer == process && overlaps(other)) {
            return Err(penpal_error(
                py,
                "out is being written by another thread; give each thread a buffer of its own",
            ));
        }
        written.push((process, range.clone()));
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
