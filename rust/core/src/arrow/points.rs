//! The points of a chunk.

use std::ops::Range;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef};
use arrow_buffer::NullBuffer;

use super::buffers::{first_null, null_addresses};
use super::list::List;
use super::numbers::Numbers;
use super::pairs::Pairs;
use crate::row_error::RowError;
use crate::strokes::{Offsets, locate};

/// The points that a chunk's rows use, which may be a small part of the array's.
#[derive(Clone, Debug)]
pub struct Points {
    /// Index of the first point in the array.
    pub first: usize,
    pub x: Numbers,
    pub y: Numbers,
    nulls: Option<NullBuffer>,
    /// Where points are lists of numbers: valid for lists of exactly two.
    pair_shapes: Option<NullBuffer>,
}

impl Points {
    /// Opens the points in `used` of structs of x and y, or of lists of two numbers, whose level of lists is
    /// `pair_list` unless they are of a fixed size. `None` for other types.
    pub fn new(values: &ArrayRef, pair_list: Option<List>, used: Range<usize>) -> Option<Self> {
        let clamp = |count: usize| used.start.min(count)..used.end.min(count);
        if let Some(points) = values.as_struct_opt() {
            let used = clamp(points.len());
            let axis = |name| Numbers::new(points.column_by_name(name)?, used.clone());
            let nulls = points.nulls().map(|nulls| nulls.slice(used.start, used.len()));
            return Some(Points { first: used.start, x: axis("x")?, y: axis("y")?, nulls, pair_shapes: None });
        }
        let (pairs, numbers) = Pairs::new(pair_list, values)?;
        let used = clamp(pairs.len());
        let split = pairs.split(&numbers, used.clone())?;
        let (nulls, pair_shapes) = (Some(split.nulls), Some(split.shapes));
        Some(Points { first: used.start, x: split.x, y: split.y, nulls, pair_shapes })
    }

    /// Makes sure that the points in `range` of the array are neither null nor lists of another length. `offsets` are
    /// the offsets of the row's strokes.
    pub fn check(&self, range: Range<usize>, offsets: Offsets) -> Result<(), RowError> {
        let start = range.start.checked_sub(self.first).ok_or(RowError::BrokenOffsets { stroke: 0 })?;
        let points = start..start + range.len();
        for nulls in [&self.nulls, &self.x.nulls, &self.y.nulls] {
            if let Some(null) = first_null(nulls.as_ref(), points.clone()) {
                let (stroke, point) = locate(offsets, self.first + null);
                return Err(RowError::NullPoint { stroke, point });
            }
        }
        if let Some(misshapen) = first_null(self.pair_shapes.as_ref(), points) {
            let (stroke, point) = locate(offsets, self.first + misshapen);
            let problem = format!("point {point} must have two numbers");
            return Err(RowError::WrongType { stroke: Some(stroke), problem });
        }
        Ok(())
    }

    /// The addresses that the points are read from.
    pub fn memory(&self) -> impl Iterator<Item = Range<usize>> {
        let nulls = [&self.nulls, &self.pair_shapes].into_iter().flatten().map(null_addresses);
        nulls.chain(self.x.memory()).chain(self.y.memory())
    }
}
