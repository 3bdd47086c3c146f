//! One array of a stroke column.

use std::ops::Range;

use arrow_array::{Array, ArrayRef};
use arrow_buffer::NullBuffer;

use super::buffers::{first_null, null_addresses};
use super::levels::{Levels, TypeMismatch};
use super::list::List;
use super::points::Points;
use crate::row_error::RowError;
use crate::rows::Rows;
use crate::strokes::Strokes;

/// One chunk of a stroke column. It shares the memory of the Arrow array that it was made from.
#[derive(Clone, Debug)]
pub struct StrokeChunk {
    rows: List,
    /// Number of rows before the offsets first decrease. Each later row could claim all points of the array again, and
    /// the work would grow with the square of its size.
    rows_in_order: usize,
    words: Option<List>,
    stroke_nulls: Option<NullBuffer>,
    /// The points of each stroke.
    strokes: List,
    points: Points,
}

impl StrokeChunk {
    /// Opens an array as a stroke column. Only coordinates that are neither float32 nor float64, and points that are
    /// lists of numbers, are copied.
    ///
    /// # Errors
    /// When the type is not one of [`ACCEPTED_TYPES`](super::ACCEPTED_TYPES).
    pub fn new(array: &ArrayRef) -> Result<Self, TypeMismatch> {
        let levels = Levels::find(array);
        levels.and_then(Self::of_levels).ok_or_else(|| TypeMismatch { found: array.data_type().to_string() })
    }

    fn of_levels(levels: Levels) -> Option<Self> {
        let Levels { rows, words, stroke_nulls, points: strokes, pair_list, values } = levels;
        let rows_in_order = count_rows_in_order(&rows, words.as_ref(), &strokes);
        let used = used_points(&rows, rows_in_order, words.as_ref(), &strokes).unwrap_or(0..0);
        let points = Points::new(&values, pair_list, used)?;
        Some(StrokeChunk { rows, rows_in_order, words, stroke_nulls, strokes, points })
    }

    /// The same rows, with those also null that `nulls` marks.
    pub(super) fn with_null_rows(mut self, nulls: Option<&NullBuffer>) -> Self {
        self.rows.nulls = NullBuffer::union(self.rows.nulls.as_ref(), nulls);
        self
    }

    /// The addresses of the memory that the rows are read from.
    pub(super) fn memory(&self) -> impl Iterator<Item = Range<usize>> {
        let lists = [Some(&self.rows), self.words.as_ref(), Some(&self.strokes)];
        let lists = lists.into_iter().flatten().flat_map(List::memory);
        lists.chain(self.stroke_nulls.as_ref().map(null_addresses)).chain(self.points.memory())
    }

    /// The strokes of a row, once neither it nor a word of it is null.
    fn stroke_range(&self, row: usize) -> Result<Range<usize>, RowError> {
        const BROKEN: RowError = RowError::BrokenOffsets { stroke: 0 };
        if first_null(self.rows.nulls.as_ref(), row..row + 1).is_some() {
            return Err(RowError::NullRow);
        }
        if row >= self.rows_in_order {
            return Err(BROKEN);
        }
        let items = self.rows.items(row..row + 1).ok_or(BROKEN)?;
        let Some(words) = &self.words else { return Ok(items) };
        if let Some(word) = first_null(words.nulls.as_ref(), items.clone()) {
            return Err(RowError::NullWord { word: word - items.start });
        }
        words.items(items).ok_or(BROKEN)
    }
}

impl Rows for StrokeChunk {
    fn len(&self) -> usize {
        self.rows.len()
    }

    fn row(&self, index: usize) -> Result<Strokes<'_>, RowError> {
        let strokes = self.stroke_range(index)?;
        for nulls in [&self.stroke_nulls, &self.strokes.nulls] {
            if let Some(stroke) = first_null(nulls.as_ref(), strokes.clone()) {
                return Err(RowError::NullStroke { stroke: stroke - strokes.start });
            }
        }
        let broken = RowError::BrokenOffsets { stroke: 0 };
        let offsets = self.strokes.offsets().slice(strokes.start, strokes.end).ok_or(broken.clone())?;
        self.points.check(self.strokes.items(strokes).ok_or(broken)?, offsets)?;
        Strokes::with_base(offsets, self.points.first, self.points.x.values(), self.points.y.values())
    }

    fn word_lengths(&self, index: usize) -> Vec<usize> {
        let items = self.rows.items(index..index + 1).unwrap_or(0..0);
        match &self.words {
            Some(words) => items.map(|word| words.items(word..word + 1).map_or(0, |strokes| strokes.len())).collect(),
            None => vec![items.len()],
        }
    }
}

fn count_rows_in_order(rows: &List, words: Option<&List>, strokes: &List) -> usize {
    let count = rows.in_order(0..rows.len());
    let items = rows.items(0..count).unwrap_or(0..0);
    let (word_end, stroke_range) = match words {
        Some(words) => {
            let end = words.in_order(items.clone());
            (end, words.items(items.start..end).unwrap_or(0..0))
        }
        None => (usize::MAX, items),
    };
    let stroke_end = strokes.in_order(stroke_range);
    let in_order = |row: &usize| {
        let end = rows.offsets().get(row + 1).unwrap_or(usize::MAX);
        let end_stroke = words.map_or(Some(end), |words| words.offsets().get(end));
        end <= word_end && end_stroke.is_some_and(|stroke| stroke <= stroke_end)
    };
    (0..count).find(|row| !in_order(row)).unwrap_or(count)
}

/// The points of the first `count` rows of a chunk, which may be a slice of a much larger array.
fn used_points(rows: &List, count: usize, words: Option<&List>, strokes: &List) -> Option<Range<usize>> {
    let items = rows.items(0..count)?;
    strokes.items(words.map_or(Some(items.clone()), |words| words.items(items))?)
}

#[cfg(test)]
mod tests;
