//! One level of lists.

use std::ops::Range;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef};
use arrow_buffer::{NullBuffer, ScalarBuffer};

use super::buffers::{addresses, null_addresses};
use crate::strokes::Offsets;

/// The offsets and nulls of a list or large_list array.
#[derive(Clone, Debug)]
pub struct List {
    pub offsets: OffsetBuffer,
    pub nulls: Option<NullBuffer>,
}

#[derive(Clone, Debug)]
pub enum OffsetBuffer {
    Int32(ScalarBuffer<i32>),
    Int64(ScalarBuffer<i64>),
}

impl List {
    /// Splits a list array into its offsets and its values. `None` for other types.
    pub fn split(array: &ArrayRef) -> Option<(Self, ArrayRef)> {
        let (offsets, values) = if let Some(list) = array.as_list_opt::<i32>() {
            (OffsetBuffer::Int32(list.offsets().inner().clone()), list.values())
        } else {
            let list = array.as_list_opt::<i64>()?;
            (OffsetBuffer::Int64(list.offsets().inner().clone()), list.values())
        };
        Some((List { offsets, nulls: array.nulls().cloned() }, values.clone()))
    }

    pub fn offsets(&self) -> Offsets<'_> {
        match &self.offsets {
            OffsetBuffer::Int32(values) => Offsets::Int32(values),
            OffsetBuffer::Int64(values) => Offsets::Int64(values),
        }
    }

    /// Number of lists.
    pub fn len(&self) -> usize {
        self.offsets().count()
    }

    /// The first list in `range` whose end offset is below its start offset, or the range's end if there is none. Only
    /// a broken array has one.
    pub fn in_order(&self, range: Range<usize>) -> usize {
        let offsets = self.offsets();
        let end = range.end.min(self.len());
        (range.start..end).find(|&list| offsets.get(list + 1) < offsets.get(list)).unwrap_or(end)
    }

    /// The range of values that the lists in `range` hold, or `None` if the offsets are broken.
    pub fn items(&self, range: Range<usize>) -> Option<Range<usize>> {
        let (start, end) = (self.offsets().get(range.start)?, self.offsets().get(range.end)?);
        (start <= end).then_some(start..end)
    }

    /// The addresses that this level is read from.
    pub fn memory(&self) -> impl Iterator<Item = Range<usize>> {
        let offsets = match &self.offsets {
            OffsetBuffer::Int32(values) => addresses(values.inner().as_slice()),
            OffsetBuffer::Int64(values) => addresses(values.inner().as_slice()),
        };
        std::iter::once(offsets).chain(self.nulls.as_ref().map(null_addresses))
    }
}
