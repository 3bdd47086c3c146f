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
pub struct Writing {
    process: u32,
    range: Range<usize>,
}

/// Ranges of addresses, in order and apart.
pub struct Addresses(Vec<Range<usize>>);

impl Addresses {
    /// The addresses of all ranges.
    pub fn new(ranges: impl Iterator<Item = Range<usize>>) -> Self {
        let mut ranges: Vec<_> = ranges.filter(|range| !range.is_empty()).collect();
        ranges.sort_unstable_by_key(|range| range.start);
        ranges.dedup_by(|next, before| {
            let touches = next.start <= before.end;
            if touches {
                before.end = before.end.max(next.end);
            }
            touches
        });
        Addresses(ranges)
    }

    /// Whether any of the addresses are in a range.
    pub fn overlap(&self, range: &Range<usize>) -> bool {
        let first = self.0.partition_point(|one| one.end <= range.start);
        self.0.get(first).is_some_and(|one| one.start < range.end)
    }
}

/// Where memory is.
pub fn addresses_of(memory: &[f32]) -> Range<usize> {
    let start = memory.as_ptr() as usize;
    start..start + size_of_val(memory)
}

impl Writing {
    /// Registers memory. `is_read` says whether the same call reads part of it.
    ///
    /// # Errors
    /// When another call writes or the same call reads part of the memory.
    pub fn begin(py: Python<'_>, memory: &[f32], is_read: bool) -> PyResult<Self> {
        let range = addresses_of(memory);
        let overlaps = |other: &Range<usize>| other.start < range.end && range.start < other.end;
        if is_read {
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
        Ok(Writing { process, range })
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        let mut written = written();
        let is_this = |(process, range): &(u32, Range<usize>)| (*process, range) == (self.process, &self.range);
        if let Some(index) = written.iter().position(is_this) {
            written.swap_remove(index);
        }
    }
}
