//! The levels of nesting of a stroke column, found by its type.

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef};
use arrow_buffer::NullBuffer;

use super::list::List;
use super::numbers::is_number;

/// The Arrow types that a stroke column may have, for error messages.
pub const ACCEPTED_TYPES: &str = "list<list<struct<points: list<struct<x, y>>>>> (words of strokes) or \
    list<struct<points: list<struct<x, y>>>> (strokes), where x and y are of any float or integer type, each list may \
    be a large_list, a point may be a list of two numbers, and a stroke may be its list of points";

/// An Arrow array that is not a stroke column.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a stroke column: found {found}; expected {ACCEPTED_TYPES}")]
pub struct TypeMismatch {
    pub(super) found: String,
}

/// The levels of a stroke column, from rows down to points.
#[derive(Clone)]
pub struct Levels {
    pub rows: List,
    pub words: Option<List>,
    pub stroke_nulls: Option<NullBuffer>,
    /// The points of each stroke.
    pub points: List,
    /// The numbers of each point, if points are lists and not of a fixed size.
    pub pair_list: Option<List>,
    /// Structs of x and y, or numbers, or lists of two numbers.
    pub values: ArrayRef,
}

impl Levels {
    /// `None` if the type is not one of [`ACCEPTED_TYPES`]. A struct with the field `points` is a stroke, whatever
    /// other fields it has.
    pub fn find(array: &ArrayRef) -> Option<Self> {
        let (rows, values) = List::split(array)?;
        let (mut lists, mut values) = peel(values)?;
        let (mut stroke_nulls, mut points) = (None, None);
        let child = values.as_struct_opt().and_then(|strokes| strokes.column_by_name("points")).cloned();
        if let Some(child) = child {
            stroke_nulls = values.nulls().cloned();
            let (list, inner) = List::split(&child)?;
            points = Some(list);
            let (inner_lists, inner) = peel(inner)?;
            lists.extend(inner_lists);
            values = inner;
        }
        let pair_list = if is_number(values.data_type()) { Some(lists.pop()?) } else { None };
        let points = match points {
            Some(points) => points,
            None => lists.pop()?,
        };
        let words = lists.pop();
        lists.is_empty().then_some(Levels { rows, words, stroke_nulls, points, pair_list, values })
    }
}

/// Splits an array into its levels of lists, not more than a row can have, and the innermost values.
fn peel(mut values: ArrayRef) -> Option<(Vec<List>, ArrayRef)> {
    const MAX_LISTS: usize = 3;
    let mut lists = Vec::new();
    while let Some((list, inner)) = List::split(&values) {
        lists.push(list);
        values = inner;
        if lists.len() > MAX_LISTS {
            return None;
        }
    }
    Some((lists, values))
}
