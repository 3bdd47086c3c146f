//! The level of nesting that an object belongs to.

use numpy::PyUntypedArrayMethods;
use penpal_core::limits::MAX_POINTS;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::sequence::{as_number_array, as_sequence, is_number, type_name};
use super::walk::{Stop, Walk, wrong_type};

/// The levels of nesting, found from the first items.
pub enum Level<'py> {
    Null,
    /// An empty list, which may be a word or a stroke.
    Empty,
    Word,
    /// A stroke, with its points.
    Stroke(Bound<'py, PyAny>),
    Point,
}

/// The level of an item of a row or word.
pub fn level<'py>(item: &Bound<'py, PyAny>, walk: &mut Walk) -> Result<Level<'py>, Stop> {
    if item.is_none() {
        return Ok(Level::Null);
    }
    if let Ok(dict) = item.cast::<PyDict>() {
        return match dict.get_item(intern!(item.py(), "points"))? {
            Some(points) if points.is_none() => Ok(Level::Null),
            Some(points) => Ok(Level::Stroke(points)),
            None if is_point(item)? => Ok(Level::Point),
            None => Err(wrong_type(None, format!("a stroke dict needs the key 'points', got {}", keys(dict)?))),
        };
    }
    if let Some(array) = as_number_array(item) {
        return Ok(match array.ndim() {
            0 => return Err(wrong_type(None, "expected strokes, got a NumPy scalar".into())),
            1 => Level::Point,
            2 => Level::Stroke(item.clone()),
            _ => Level::Word,
        });
    }
    let Some(sequence) = as_sequence(item, MAX_POINTS)? else {
        if is_number(item)? {
            return Ok(Level::Point);
        }
        return Err(wrong_type(None, format!("expected a word or a stroke, got {}", type_name(item))));
    };
    let mut nulls = false;
    for index in 0..sequence.length {
        let inner = walk.item(&sequence, index)?;
        if inner.is_none() {
            nulls = true;
        } else if is_number(&inner)? {
            return Ok(Level::Point);
        } else if is_point(&inner)? {
            return Ok(Level::Stroke(item.clone()));
        } else if as_sequence(&inner, MAX_POINTS)?.is_none_or(|inner| inner.length > 0) {
            return Ok(Level::Word);
        }
    }
    Ok(if nulls { Level::Word } else { Level::Empty })
}

/// Whether an object looks like a point, by its own shape or keys. A dict with points is a stroke, whatever else it
/// has.
fn is_point(object: &Bound<'_, PyAny>) -> PyResult<bool> {
    let py = object.py();
    if let Ok(dict) = object.cast::<PyDict>() {
        return Ok(dict.contains(intern!(py, "x"))? && !dict.contains(intern!(py, "points"))?);
    }
    if let Some(array) = as_number_array(object) {
        return Ok(array.ndim() == 1);
    }
    let Some(sequence) = as_sequence(object, MAX_POINTS)?.filter(|sequence| sequence.length > 0) else {
        return Ok(false);
    };
    let first = sequence.get(0)?;
    if !first.is_none() || sequence.length != 2 {
        // Text and numbers beyond float64 are no coordinates, and are reported as such.
        return Ok(is_number(&first)? || is_leaf(&first)?);
    }
    let second = sequence.get(1)?;
    Ok(second.is_none() || is_number(&second)?)
}

/// Whether an object holds nothing that could be a part of a row.
fn is_leaf(object: &Bound<'_, PyAny>) -> PyResult<bool> {
    Ok(!object.is_none() && object.cast::<PyDict>().is_err() && as_sequence(object, MAX_POINTS)?.is_none())
}

fn keys(dict: &Bound<'_, PyDict>) -> PyResult<String> {
    let names = dict.keys().iter().take(5).map(|key| Ok(key.str()?.to_string_lossy().into_owned()));
    Ok(format!("the keys {:?}", names.collect::<PyResult<Vec<String>>>()?))
}
