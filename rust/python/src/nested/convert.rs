//! Rows, words and strokes.

use penpal_core::limits::MAX_POINTS;
use penpal_core::{OwnedRows, RowError};
use pyo3::intern;
use pyo3::prelude::*;

use super::level::{Level, level};
use super::points::collect_stroke;
use super::sequence::{as_sequence, type_name};
use super::walk::{Stop, Walk, wrong_type};
use crate::errors::penpal_error;

/// Collects rows. A bad row is kept as its error.
pub fn convert(source: &Bound<'_, PyAny>) -> PyResult<OwnedRows> {
    let py = source.py();
    let Some(source) = as_sequence(source, usize::MAX)? else {
        let found = type_name(source);
        return Err(penpal_error(
            py,
            format!(
                "rows must be a sequence of rows or an Arrow array, got {found}; read files first, or use penpal-fast score"
            ),
        ));
    };
    let mut rows = OwnedRows::default();
    for index in 0..source.length {
        py.check_signals()?;
        let outcome =
            source.get(index).map_err(Stop::from).and_then(|row| collect_row(&row, &mut Walk::new(&mut rows)));
        match outcome {
            Ok(()) => rows.end_row(Ok(())),
            Err(Stop::Row(error)) => rows.end_row(Err(error)),
            Err(Stop::Python(error)) => return Err(error),
        }
    }
    Ok(rows)
}

fn collect_row(row: &Bound<'_, PyAny>, walk: &mut Walk) -> Result<(), Stop> {
    // The items of an Arrow scalar are not lists and dicts. It converts itself to nested Python.
    let plain = row.getattr_opt(intern!(row.py(), "as_py"))?.map(|as_py| as_py.call0()).transpose()?;
    let row = plain.as_ref().unwrap_or(row);
    if row.is_none() {
        return Err(RowError::NullRow.into());
    }
    let Some(row) = as_sequence(row, MAX_POINTS)? else {
        return Err(wrong_type(None, format!("a row must be a sequence of words or strokes, got {}", type_name(row))));
    };
    // An empty list is a stroke if the row holds strokes, and a word if it holds words. It is added once a neighbour
    // shows which.
    let mut empty = 0;
    let mut of_strokes = false;
    for index in 0..row.length {
        let item = walk.item(&row, index)?;
        match level(&item, walk)? {
            Level::Null => return Err(RowError::NullStroke { stroke: walk.rows.strokes_in_row() + empty }.into()),
            Level::Empty if of_strokes => walk.end_stroke()?,
            Level::Empty => empty += 1,
            Level::Stroke(points) => {
                of_strokes = true;
                (0..std::mem::take(&mut empty)).try_for_each(|_| walk.end_stroke())?;
                collect_stroke(&points, walk)?;
            }
            Level::Word => {
                empty = 0;
                walk.rows.end_word();
                collect_word(&item, walk)?;
                walk.rows.end_word();
            }
            Level::Point => {
                let advice = "a row must be a list of strokes, and this looks like a list of points: put one stroke in \
                    a list, and convert [T, 3] offsets with strokes_from_offsets";
                return Err(wrong_type(None, advice.into()));
            }
        }
    }
    Ok(())
}

fn collect_word(word: &Bound<'_, PyAny>, walk: &mut Walk) -> Result<(), Stop> {
    let Some(word) = as_sequence(word, MAX_POINTS)? else {
        return Err(wrong_type(None, format!("a word must be a sequence of strokes, got {}", type_name(word))));
    };
    for index in 0..word.length {
        let item = walk.item(&word, index)?;
        match level(&item, walk)? {
            Level::Null => return Err(RowError::NullStroke { stroke: walk.rows.strokes_in_row() }.into()),
            Level::Empty => walk.end_stroke()?,
            Level::Stroke(points) => collect_stroke(&points, walk)?,
            Level::Word | Level::Point => {
                let problem = "expected a stroke here, in a word; the nesting is words -> strokes -> points";
                return Err(wrong_type(Some(walk.rows.strokes_in_row()), problem.into()));
            }
        }
    }
    Ok(())
}
