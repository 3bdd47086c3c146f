//! A stroke column of any number of chunks.

use std::ops::Range;

use arrow_array::{Array, ArrayRef, StructArray};

use super::chunk::StrokeChunk;
use super::levels::TypeMismatch;
use crate::row_error::RowError;
use crate::rows::Rows;
use crate::strokes::Strokes;

/// All chunks of a stroke column.
#[derive(Clone, Debug, Default)]
pub struct StrokeColumn {
    chunks: Vec<StrokeChunk>,
    /// Index of the row after each chunk's last.
    ends: Vec<usize>,
}

impl StrokeColumn {
    /// Looks at a field of struct arrays, such as record batches, as a stroke column; where a struct is null, so is the
    /// row.
    ///
    /// # Errors
    /// When the type of the field is none of [`ACCEPTED_TYPES`].
    pub fn of_field<'a>(
        structs: impl IntoIterator<Item = &'a StructArray>,
        field: usize,
    ) -> Result<Self, TypeMismatch> {
        let chunk = |array: &StructArray| Ok(StrokeChunk::new(array.column(field))?.with_null_rows(array.nulls()));
        Ok(Self::of_chunks(structs.into_iter().map(chunk).collect::<Result<_, _>>()?))
    }

    /// Looks at arrays as the chunks of one stroke column; see [`StrokeChunk::new`].
    ///
    /// # Errors
    /// When the type of one is none of [`ACCEPTED_TYPES`].
    pub fn new<'a>(arrays: impl IntoIterator<Item = &'a ArrayRef>) -> Result<Self, TypeMismatch> {
        Ok(Self::of_chunks(arrays.into_iter().map(StrokeChunk::new).collect::<Result<_, _>>()?))
    }

    /// The addresses of the memory that the rows are read from.
    pub fn memory(&self) -> impl Iterator<Item = Range<usize>> {
        self.chunks.iter().flat_map(StrokeChunk::memory)
    }

    fn of_chunks(chunks: Vec<StrokeChunk>) -> Self {
        let mut total = 0;
        let ends = chunks
            .iter()
            .map(|chunk| {
                total += chunk.len();
                total
            })
            .collect();
        StrokeColumn { chunks, ends }
    }

    /// The chunk that has a row, and the row's index within it.
    fn find(&self, row: usize) -> (&StrokeChunk, usize) {
        let chunk = self.ends.partition_point(|&end| end <= row);
        let start = if chunk == 0 { 0 } else { self.ends[chunk - 1] };
        (&self.chunks[chunk], row - start)
    }
}

impl Rows for StrokeColumn {
    fn len(&self) -> usize {
        self.ends.last().copied().unwrap_or(0)
    }

    fn row(&self, index: usize) -> Result<Strokes<'_>, RowError> {
        let (chunk, row) = self.find(index);
        chunk.row(row)
    }

    fn word_lengths(&self, index: usize) -> Vec<usize> {
        let (chunk, row) = self.find(index);
        chunk.word_lengths(row)
    }
}
