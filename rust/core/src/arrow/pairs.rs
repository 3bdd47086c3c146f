//! Points that are lists of two numbers.

use std::ops::Range;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef};
use arrow_buffer::NullBuffer;

use super::buffers::first_null;
use super::list::List;
use super::numbers::Numbers;

/// Lists of numbers, of any length or of exactly two each.
pub enum Pairs {
    List(List),
    Fixed { count: usize, nulls: Option<NullBuffer> },
}

/// Pairs that were copied apart.
pub struct SplitPairs {
    pub x: Numbers,
    pub y: Numbers,
    pub nulls: NullBuffer,
    /// Valid for lists of exactly two numbers.
    pub shapes: NullBuffer,
}

impl Pairs {
    /// The lists, and the array that has their numbers. `list` is the level above the values, if these are numbers.
    pub fn new(list: Option<List>, values: &ArrayRef) -> Option<(Self, ArrayRef)> {
        if let Some(list) = list {
            return Some((Pairs::List(list), values.clone()));
        }
        let list = values.as_fixed_size_list_opt().filter(|list| list.value_length() == 2)?;
        Some((Pairs::Fixed { count: list.len(), nulls: list.nulls().cloned() }, list.values().clone()))
    }

    pub fn len(&self) -> usize {
        match self {
            Pairs::List(list) => list.len(),
            Pairs::Fixed { count, .. } => *count,
        }
    }

    fn nulls(&self) -> Option<&NullBuffer> {
        match self {
            Pairs::List(list) => list.nulls.as_ref(),
            Pairs::Fixed { nulls, .. } => nulls.as_ref(),
        }
    }

    /// The range of the numbers of some points, or `None` if the offsets are broken.
    fn numbers(&self, points: Range<usize>) -> Option<Range<usize>> {
        match self {
            Pairs::List(list) => list.items(points),
            Pairs::Fixed { .. } => Some(2 * points.start..2 * points.end),
        }
    }

    /// Copies the points in `used`, which may be a small part of all, apart into x and y.
    pub fn split(&self, numbers: &ArrayRef, used: Range<usize>) -> Option<SplitPairs> {
        let in_bounds = |range: &Range<usize>| range.end <= numbers.len();
        let range = self.numbers(used.clone()).filter(in_bounds).unwrap_or(0..0);
        let numbers = Numbers::new(numbers, range.clone())?;
        let mut axes = [Vec::with_capacity(used.len()), Vec::with_capacity(used.len())];
        let (mut valid, mut are_pairs) = (Vec::with_capacity(used.len()), Vec::with_capacity(used.len()));
        for point in used {
            let null = first_null(self.nulls(), point..point + 1).is_some();
            let pair = self.numbers(point..point + 1).filter(|pair| pair.len() == 2);
            are_pairs.push(pair.is_some());
            let start = pair.and_then(|pair| pair.start.checked_sub(range.start));
            valid.push(
                !null && start.is_none_or(|start| first_null(numbers.nulls.as_ref(), start..start + 2).is_none()),
            );
            for (axis, values) in axes.iter_mut().enumerate() {
                values.push(start.and_then(|start| numbers.values().get(start + axis)).unwrap_or(f64::NAN));
            }
        }
        let [x, y] = axes.map(Numbers::copied);
        Some(SplitPairs { x, y, nulls: NullBuffer::from(valid), shapes: NullBuffer::from(are_pairs) })
    }
}
