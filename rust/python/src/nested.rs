//! Rows from nested Python: lists of words, strokes and points, dicts and NumPy arrays.

use numpy::{PyReadonlyArray2, PyUntypedArray, PyUntypedArrayMethods};
use penpal_core::{OwnedRows, RowError};
use pyo3::exceptions::PyException;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyDict, PyList, PyString, PyTuple};

use crate::errors::penpal_error;

/// Why the walk through a row stopped: the row is bad, or Python must see the exception (`KeyboardInterrupt`).
enum Stop {
    Row(RowError),
    Python(PyErr),
}

impl From<PyErr> for Stop {
    /// An exception that a row's own objects raise is that row's fault.
    fn from(error: PyErr) -> Self {
        Python::attach(|py| {
            if error.is_instance_of::<PyException>(py) {
                Stop::Row(RowError::WrongType { stroke: None, problem: error.to_string() })
            } else {
                Stop::Python(error)
            }
        })
    }
}

impl From<RowError> for Stop {
    fn from(error: RowError) -> Self {
        Stop::Row(error)
    }
}

/// Collects rows; what is wrong with a row is kept in its place.
pub fn convert(source: &Bound<'_, PyAny>) -> PyResult<OwnedRows> {
    let py = source.py();
    let Some(count) = sequence_length(source) else {
        let found = type_name(source);
        return Err(penpal_error(py, format!("rows must be a sequence of rows or an Arrow array, got {found}")));
    };
    let mut rows = OwnedRows::default();
    for index in 0..count {
        py.check_signals()?;
        let outcome = source.get_item(index).map_err(Stop::from).and_then(|row| collect_row(&row, &mut rows));
        match outcome {
            Ok(()) => rows.end_row(Ok(())),
            Err(Stop::Row(error)) => rows.end_row(Err(error)),
            Err(Stop::Python(error)) => return Err(error),
        }
    }
    Ok(rows)
}

/// The levels of nesting, told apart by looking at the first items.
enum Level<'py> {
    Null,
    /// Nothing to tell the level by, and nothing to draw.
    Empty,
    Word,
    /// A stroke, with the object that holds its points.
    Stroke(Bound<'py, PyAny>),
    Point,
}

fn collect_row(row: &Bound<'_, PyAny>, rows: &mut OwnedRows) -> Result<(), Stop> {
    // An Arrow scalar knows how to become nested Python; its own items do not look like lists and dicts.
    let plain = row.getattr_opt(intern!(row.py(), "as_py"))?.map(|as_py| as_py.call0()).transpose()?;
    let row = plain.as_ref().unwrap_or(row);
    if row.is_none() {
        return Err(RowError::NullRow.into());
    }
    let Some(count) = sequence_length(row) else {
        return Err(wrong_type(None, format!("a row must be a sequence of words or strokes, got {}", type_name(row))));
    };
    for index in 0..count {
        let item = row.get_item(index)?;
        match level(&item)? {
            Level::Null => return Err(RowError::NullStroke { stroke: rows.strokes_in_row() }.into()),
            Level::Empty => {}
            Level::Stroke(points) => collect_stroke(&points, rows)?,
            Level::Word => collect_word(&item, rows)?,
            Level::Point => {
                let advice = "a row must be a list of strokes, and this looks like a list of points: put one stroke in \
                    a list, and convert [T, 3] offsets with strokes_from_offsets";
                return Err(wrong_type(None, advice.into()));
            }
        }
    }
    Ok(())
}

fn collect_word(word: &Bound<'_, PyAny>, rows: &mut OwnedRows) -> Result<(), Stop> {
    for index in 0..word.len()? {
        match level(&word.get_item(index)?)? {
            Level::Null => return Err(RowError::NullStroke { stroke: rows.strokes_in_row() }.into()),
            Level::Empty => {}
            Level::Stroke(points) => collect_stroke(&points, rows)?,
            Level::Word | Level::Point => {
                let problem = "expected a stroke here, in a word; the nesting is words -> strokes -> points";
                return Err(wrong_type(Some(rows.strokes_in_row()), problem.into()));
            }
        }
    }
    Ok(())
}

/// Tells what an item of a row or word is.
fn level<'py>(item: &Bound<'py, PyAny>) -> Result<Level<'py>, Stop> {
    if item.is_none() {
        return Ok(Level::Null);
    }
    if let Ok(dict) = item.cast::<PyDict>() {
        return match dict.get_item(intern!(item.py(), "points"))? {
            Some(points) if points.is_none() => Ok(Level::Null),
            Some(points) => Ok(Level::Stroke(points)),
            None if is_point(item) => Ok(Level::Point),
            None => Err(wrong_type(None, format!("a stroke dict needs the key 'points', got {}", keys(dict)))),
        };
    }
    if let Ok(array) = item.cast::<PyUntypedArray>() {
        return Ok(match array.ndim() {
            0 => return Err(wrong_type(None, "expected strokes, got a NumPy scalar".into())),
            1 => Level::Point,
            2 => Level::Stroke(item.clone()),
            _ => Level::Word,
        });
    }
    let Some(count) = sequence_length(item) else {
        if is_number(item) {
            return Ok(Level::Point);
        }
        return Err(wrong_type(None, format!("expected a word or a stroke, got {}", type_name(item))));
    };
    for index in 0..count {
        let inner = item.get_item(index)?;
        if is_number(&inner) {
            return Ok(Level::Point);
        }
        if is_point(&inner) {
            return Ok(Level::Stroke(item.clone()));
        }
        if inner.is_none() || sequence_length(&inner) != Some(0) {
            return Ok(Level::Word);
        }
    }
    Ok(Level::Empty)
}

fn collect_stroke(points: &Bound<'_, PyAny>, rows: &mut OwnedRows) -> Result<(), Stop> {
    let stroke = rows.strokes_in_row();
    if let Ok(array) = points.cast::<PyUntypedArray>() {
        collect_array(array, stroke, rows)?;
    } else {
        let Some(count) = sequence_length(points) else {
            let found = type_name(points);
            return Err(wrong_type(Some(stroke), format!("points must be a sequence of (x, y), got {found}")));
        };
        for point in 0..count {
            let (x, y) = coordinates(&points.get_item(point)?, stroke, point)?;
            rows.push_point(x, y);
        }
    }
    rows.end_stroke();
    Ok(())
}

fn collect_array(array: &Bound<'_, PyUntypedArray>, stroke: usize, rows: &mut OwnedRows) -> Result<(), Stop> {
    let py = array.py();
    let kind: String = array.dtype().getattr(intern!(py, "kind"))?.extract()?;
    if array.ndim() != 2 || array.shape()[1] != 2 || !matches!(kind.as_str(), "f" | "i" | "u") {
        let found = format!("{:?} of {}", array.shape(), array.dtype());
        let problem = format!("a stroke array must be [N, 2] of a float or integer type, got {found}");
        return Err(wrong_type(Some(stroke), problem));
    }
    let array: PyReadonlyArray2<f64> = array.call_method1(intern!(py, "astype"), ("float64",))?.extract()?;
    for point in array.as_array().rows() {
        rows.push_point(point[0], point[1]);
    }
    Ok(())
}

/// The coordinates of a point: a dict with x and y, or a sequence of two numbers.
fn coordinates(point: &Bound<'_, PyAny>, stroke: usize, index: usize) -> Result<(f64, f64), Stop> {
    let py = point.py();
    let null = || Stop::Row(RowError::NullPoint { stroke, point: index });
    let wrong = || {
        let problem =
            format!("point {index} must be a pair of numbers or a dict with x and y, got {}", type_name(point));
        wrong_type(Some(stroke), problem)
    };
    if point.is_none() {
        return Err(null());
    }
    let (x, y) = if let Ok(dict) = point.cast::<PyDict>() {
        let (Some(x), Some(y)) = (dict.get_item(intern!(py, "x"))?, dict.get_item(intern!(py, "y"))?) else {
            return Err(wrong());
        };
        (x, y)
    } else if sequence_length(point) == Some(2) {
        (point.get_item(0)?, point.get_item(1)?)
    } else {
        return Err(wrong());
    };
    if x.is_none() || y.is_none() {
        return Err(null());
    }
    if x.is_instance_of::<PyString>() || y.is_instance_of::<PyString>() {
        return Err(wrong());
    }
    match (x.extract(), y.extract()) {
        (Ok(x), Ok(y)) => Ok((x, y)),
        _ => Err(wrong_type(Some(stroke), format!("point {index}: x or y is not a number that a float64 can hold"))),
    }
}

/// Whether an object looks like a point, by its own shape or keys.
fn is_point(object: &Bound<'_, PyAny>) -> bool {
    if let Ok(dict) = object.cast::<PyDict>() {
        return dict.contains(intern!(object.py(), "x")).unwrap_or(false);
    }
    if let Ok(array) = object.cast::<PyUntypedArray>() {
        return array.ndim() == 1;
    }
    sequence_length(object).is_some_and(|length| length > 0)
        && object.get_item(0).is_ok_and(|first| first.is_none() || is_number(&first))
}

fn is_number(object: &Bound<'_, PyAny>) -> bool {
    !object.is_instance_of::<PyString>() && sequence_length(object).is_none() && object.extract::<f64>().is_ok()
}

/// The length of a list, tuple or anything else that is indexed by position; `None` for text, dicts and the rest.
fn sequence_length(object: &Bound<'_, PyAny>) -> Option<usize> {
    if let Ok(list) = object.cast::<PyList>() {
        return Some(list.len());
    }
    if let Ok(tuple) = object.cast::<PyTuple>() {
        return Some(tuple.len());
    }
    let text = object.is_instance_of::<PyString>()
        || object.is_instance_of::<PyBytes>()
        || object.is_instance_of::<PyByteArray>();
    if text || object.is_instance_of::<PyDict>() || !object.hasattr(intern!(object.py(), "__getitem__")).ok()? {
        return None;
    }
    object.len().ok()
}

fn keys(dict: &Bound<'_, PyDict>) -> String {
    let names: Vec<String> = dict.keys().iter().take(5).map(|key| key.to_string()).collect();
    format!("the keys {names:?}")
}

fn type_name(object: &Bound<'_, PyAny>) -> String {
    object.get_type().name().map_or_else(|_| "an unknown type".into(), |name| name.to_string())
}

fn wrong_type(stroke: Option<usize>, problem: String) -> Stop {
    Stop::Row(RowError::WrongType { stroke, problem })
}
