//! Rows of strokes, from any source.

use std::ops::Range;

use crate::coordinates::Coordinates;
use crate::limits::{MAX_POINTS, MAX_STROKES};
use crate::row_error::RowError;
use crate::strokes::{Offsets, Strokes};

/// A sequence of rows that several threads may read.
pub trait Rows: Sync {
    /// Number of rows, bad ones included.
    fn len(&self) -> usize;

    /// Whether there are no rows.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The row at `index`, which must be below [`Rows::len`], or its error.
    fn row(&self, index: usize) -> Result<Strokes<'_>, RowError>;

    /// Number of strokes in each word of a good row. Neighbouring strokes without a word level are one word.
    fn word_lengths(&self, index: usize) -> Vec<usize>;

    /// A row with its words, each a list of the point ranges of its strokes. Words and strokes without points are left
    /// out.
    fn words(&self, index: usize) -> Result<(Strokes<'_>, Vec<Word>), RowError> {
        let strokes = self.row(index)?;
        let mut ranges = strokes.point_ranges();
        let word = |length| -> Word { ranges.by_ref().take(length).filter(|points| !points.is_empty()).collect() };
        let words = self.word_lengths(index).into_iter().map(word).filter(|word| !word.is_empty()).collect();
        Ok((strokes, words))
    }
}

/// The strokes of a word, each the range of its points within [`Strokes::x`] and [`Strokes::y`].
pub type Word = Vec<Range<usize>>;

/// Rows that were collected point by point.
///
/// ```
/// use penpal_core::{OwnedRows, Rows, RowError};
///
/// let mut rows = OwnedRows::default();
/// rows.push_point(0.0, 0.0);
/// rows.push_point(3.0, 4.0);
/// rows.end_stroke();
/// rows.end_row(Ok(()));
/// rows.end_row(Err(RowError::NullRow));
/// assert_eq!(rows.row(0)?.y_extent().span(), 4.0);
/// assert_eq!(rows.row(1).unwrap_err(), RowError::NullRow);
/// # Ok::<(), RowError>(())
/// ```
#[derive(Clone, Debug)]
pub struct OwnedRows {
    x: Vec<f64>,
    y: Vec<f64>,
    stroke_offsets: Vec<i64>,
    /// The end of each word, counted in strokes over all rows. Words without strokes are left out.
    word_ends: Vec<usize>,
    rows: Vec<Result<Range<usize>, RowError>>,
    row_start: usize,
}

impl Default for OwnedRows {
    fn default() -> Self {
        OwnedRows {
            x: Vec::new(),
            y: Vec::new(),
            stroke_offsets: vec![0],
            word_ends: Vec::new(),
            rows: Vec::new(),
            row_start: 0,
        }
    }
}

impl OwnedRows {
    /// Adds a point to the current stroke.
    pub fn push_point(&mut self, x: f64, y: f64) {
        self.x.push(x);
        self.y.push(y);
    }

    /// Ends the current stroke. The next point starts a new one.
    pub fn end_stroke(&mut self) {
        self.stroke_offsets.push(self.x.len() as i64);
    }

    /// Ends the current word, if it has strokes. The end of a row ends its last word.
    pub fn end_word(&mut self) {
        let end = self.stroke_offsets.len() - 1;
        if self.word_ends.last().map_or(0, |&last| last) < end {
            self.word_ends.push(end);
        }
    }

    /// Number of strokes that the current row has so far.
    pub fn strokes_in_row(&self) -> usize {
        self.stroke_offsets.len() - 1 - self.row_start
    }

    /// Makes sure that the current row may get `more` points.
    ///
    /// # Errors
    /// [`RowError::TooManyPoints`].
    pub fn expect_points(&self, more: usize) -> Result<(), RowError> {
        let points = (self.x.len() - self.stroke_offsets[self.row_start] as usize).saturating_add(more);
        if points > MAX_POINTS { Err(RowError::TooManyPoints { points }) } else { Ok(()) }
    }

    /// Makes sure that the current row may get `more` strokes.
    ///
    /// # Errors
    /// [`RowError::TooManyStrokes`].
    pub fn expect_strokes(&self, more: usize) -> Result<(), RowError> {
        let strokes = self.strokes_in_row().saturating_add(more);
        if strokes > MAX_STROKES { Err(RowError::TooManyStrokes { strokes }) } else { Ok(()) }
    }

    /// Ends the current row: with what was collected, or with its error.
    pub fn end_row(&mut self, outcome: Result<(), RowError>) {
        if outcome.is_err() {
            self.discard_row();
        }
        self.end_word();
        let end = self.stroke_offsets.len() - 1;
        self.rows.push(outcome.map(|()| self.row_start..end));
        self.row_start = end;
    }

    fn discard_row(&mut self) {
        self.stroke_offsets.truncate(self.row_start + 1);
        self.word_ends.truncate(self.word_ends.partition_point(|&end| end <= self.row_start));
        let points = self.stroke_offsets[self.row_start] as usize;
        self.x.truncate(points);
        self.y.truncate(points);
    }
}

impl Rows for OwnedRows {
    fn len(&self) -> usize {
        self.rows.len()
    }

    fn row(&self, index: usize) -> Result<Strokes<'_>, RowError> {
        let strokes = self.rows[index].clone()?;
        let offsets = Offsets::Int64(&self.stroke_offsets[strokes.start..=strokes.end]);
        Strokes::new(offsets, Coordinates::Float64(&self.x), Coordinates::Float64(&self.y))
    }

    fn word_lengths(&self, index: usize) -> Vec<usize> {
        let Ok(strokes) = &self.rows[index] else { return Vec::new() };
        let [first, last] = [strokes.start, strokes.end].map(|end| self.word_ends.partition_point(|&word| word <= end));
        let mut start = strokes.start;
        self.word_ends[first..last].iter().map(|&end| end - std::mem::replace(&mut start, end)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_row_leaves_nothing_behind() {
        let mut rows = OwnedRows::default();
        rows.push_point(1.0, 1.0);
        rows.end_stroke();
        rows.push_point(2.0, 2.0);
        rows.end_row(Err(RowError::NullRow));
        rows.push_point(3.0, 3.0);
        rows.end_stroke();
        rows.end_row(Ok(()));
        rows.end_row(Ok(()));
        assert_eq!(rows.len(), 3);
        assert_eq!(rows.row(0).unwrap_err(), RowError::NullRow);
        assert_eq!(rows.row(1).unwrap().x_extent().low, 3.0);
        assert_eq!(rows.row(2).unwrap_err(), RowError::NoPoints);
    }

    #[test]
    fn words_end_where_they_were_ended() {
        let mut rows = OwnedRows::default();
        for row in 0..3 {
            for ends_word in [true, false, true, false] {
                rows.push_point(0.0, 0.0);
                rows.end_stroke();
                rows.end_stroke();
                if ends_word {
                    rows.end_word();
                    rows.end_word();
                }
            }
            rows.end_row(if row == 1 { Err(RowError::NullRow) } else { Ok(()) });
        }
        for row in [0, 2] {
            assert_eq!(rows.word_lengths(row), [2, 4, 2]);
            let words = rows.words(row).unwrap().1;
            assert_eq!(words.iter().map(Vec::len).collect::<Vec<_>>(), [1, 2, 1]);
            assert_eq!(words.concat(), [0..1, 1..2, 2..3, 3..4]);
        }
        assert_eq!(rows.word_lengths(1), []);
    }
}
