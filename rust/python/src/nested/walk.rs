//! The walk through one row, and why it stops.

use penpal_core::limits::MAX_POINTS;
use penpal_core::{OwnedRows, RowError};
use pyo3::prelude::*;

use super::exceptions::is_of_row;
use super::sequence::Sequence;

/// Why the walk through a row stopped: the row is bad, or an exception must reach Python (`is_of_row`).
pub enum Stop {
    Row(RowError),
    Python(PyErr),
}

impl From<PyErr> for Stop {
    /// A row is bad if its objects raise an exception.
    fn from(error: PyErr) -> Self {
        Python::attach(|py| match is_of_row(py, &error) {
            Ok(true) => wrong_type(None, error.to_string()),
            Ok(false) => Stop::Python(error),
            Err(interrupt) => Stop::Python(interrupt),
        })
    }
}

impl From<RowError> for Stop {
    fn from(error: RowError) -> Self {
        Stop::Row(error)
    }
}

/// Maximum number of items read in a row. Lists that share their items can have more items than fit into memory.
const MAX_ITEMS: usize = 8 * MAX_POINTS;

/// Items between looks for signals. Their handlers may raise any exception, which is not the row's.
const SIGNALS_EVERY: usize = 1 << 12;

/// The row that is being collected.
pub struct Walk<'a> {
    pub rows: &'a mut OwnedRows,
    looked_at: usize,
}

impl<'a> Walk<'a> {
    pub fn new(rows: &'a mut OwnedRows) -> Self {
        Walk { rows, looked_at: 0 }
    }

    pub fn item<'py>(&mut self, sequence: &Sequence<'py>, index: usize) -> Result<Bound<'py, PyAny>, Stop> {
        self.looked_at += 1;
        if self.looked_at.is_multiple_of(SIGNALS_EVERY) {
            sequence.py().check_signals().map_err(Stop::Python)?;
        }
        if self.looked_at > MAX_ITEMS {
            let problem = format!("the row's lists have more than {MAX_ITEMS} items, shared ones counted each time");
            return Err(wrong_type(None, problem));
        }
        Ok(sequence.get(index)?)
    }

    pub fn end_stroke(&mut self) -> Result<(), Stop> {
        self.rows.expect_strokes(1)?;
        self.rows.end_stroke();
        Ok(())
    }
}

/// Cuts `problem` short, as it may quote text of the row.
pub fn wrong_type(stroke: Option<usize>, problem: String) -> Stop {
    const MAX_CHARACTERS: usize = 300;
    let problem = match problem.char_indices().nth(MAX_CHARACTERS) {
        Some((end, _)) => format!("{}...", &problem[..end]),
        None => problem,
    };
    Stop::Row(RowError::WrongType { stroke, problem })
}
