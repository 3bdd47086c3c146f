//! Rows as one Arrow array of the penpal type.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, Float64Array, ListArray, StructArray};
use arrow_buffer::{NullBuffer, OffsetBuffer};
use arrow_schema::{ArrowError, Field};

use crate::rows::Rows;

/// Copies rows into an array of the type `list<list<struct<points: list<struct<x: double, y: double>>>>>`, null for bad
/// rows. Words and strokes without points are left out.
///
/// # Errors
/// [`ArrowError::OffsetOverflowError`] when the rows have more points than the 32-bit offsets of a list count.
pub fn penpal_array(rows: &dyn Rows) -> Result<ListArray, ArrowError> {
    let (mut words_of_rows, mut strokes_of_words, mut points_of_strokes) = (Vec::new(), Vec::new(), Vec::new());
    let (mut x, mut y, mut valid) = (Vec::new(), Vec::new(), Vec::new());
    for row in 0..rows.len() {
        let found = rows.words(row);
        valid.push(found.is_ok());
        words_of_rows.push(found.as_ref().map_or(0, |(_, words)| words.len()));
        let Ok((strokes, words)) = found else { continue };
        for word in words {
            strokes_of_words.push(word.len());
            for points in word {
                points_of_strokes.push(points.len());
                x.extend(points.clone().filter_map(|point| strokes.x().get(point)));
                y.extend(points.filter_map(|point| strokes.y().get(point)));
            }
        }
        // No list has more items than there are points.
        i32::try_from(x.len()).map_err(|_| ArrowError::OffsetOverflowError(x.len()))?;
    }
    let [x, y] = [x, y].map(|values| Arc::new(Float64Array::from(values)) as ArrayRef);
    let points = list(structure([("x", x), ("y", y)]), points_of_strokes, None);
    let words = list(structure([("points", Arc::new(points))]), strokes_of_words, None);
    Ok(list(Arc::new(words), words_of_rows, Some(NullBuffer::from(valid))))
}

fn structure<const FIELDS: usize>(columns: [(&str, ArrayRef); FIELDS]) -> ArrayRef {
    let field =
        |(name, values): (&str, ArrayRef)| (Arc::new(Field::new(name, values.data_type().clone(), true)), values);
    Arc::new(StructArray::from(columns.map(field).to_vec()))
}

fn list(values: ArrayRef, lengths: Vec<usize>, nulls: Option<NullBuffer>) -> ListArray {
    let field = Field::new_list_field(values.data_type().clone(), true);
    ListArray::new(Arc::new(field), OffsetBuffer::from_lengths(lengths), values, nulls)
}
