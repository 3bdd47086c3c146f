//! Rows from nested Python: lists of words, strokes and points, dicts and NumPy arrays.

use numpy::{Element, PyArrayDescrMethods, PyArrayMethods, PyReadonlyArray2, PyUntypedArray, PyUntypedArrayMethods};
use penpal_core::strokes::MAX_POINTS;
use penpal_core::{OwnedRows, RowError};
use pyo3::exceptions::{PyException, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{
    PyBool, PyByteArray, PyBytes, PyDict, PyFloat, PyFrozenSet, PyList, PyMapping, PySequence, PySet, PyString, PyTuple,
};

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
                wrong_type(None, error.to_string())
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

/// Most items that are looked at in a row. Lists that share their parts can have more than any memory could hold.
const MOST_ITEMS: usize = 8 * MAX_POINTS;

/// The row that is being collected.
struct Walk<'a> {
    rows: &'a mut OwnedRows,
    looked_at: usize,
}

impl Walk<'_> {
    fn item<'py>(&mut self, sequence: &Sequence<'py>, index: usize) -> Result<Bound<'py, PyAny>, Stop> {
        self.looked_at += 1;
        if self.looked_at > MOST_ITEMS {
            let problem = format!("the row's lists have more than {MOST_ITEMS} items, shared ones counted each time");
            return Err(wrong_type(None, problem));
        }
        Ok(sequence.get(index)?)
    }

    fn end_stroke(&mut self) -> Result<(), Stop> {
        self.rows.expect_strokes(1)?;
        self.rows.end_stroke();
        Ok(())
    }
}

/// Collects rows; what is wrong with a row is kept in its place.
pub fn convert(source: &Bound<'_, PyAny>) -> PyResult<OwnedRows> {
    let py = source.py();
    let Some(source) = as_sequence(source, usize::MAX)? else {
        let found = type_name(source);
        return Err(penpal_error(
            py,
            format!(
                "rows must be a sequence of rows or an Arrow array, got {found}; read files first, or use penpal-fast score"
            ),
        ));
    };
    let mut rows = OwnedRows::default();
    for index in 0..source.length {
        py.check_signals()?;
        let outcome = source
            .get(index)
            .map_err(Stop::from)
            .and_then(|row| collect_row(&row, &mut Walk { rows: &mut rows, looked_at: 0 }));
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

fn collect_row(row: &Bound<'_, PyAny>, walk: &mut Walk) -> Result<(), Stop> {
    // An Arrow scalar knows how to become nested Python; its own items do not look like lists and dicts.
    let plain = row.getattr_opt(intern!(row.py(), "as_py"))?.map(|as_py| as_py.call0()).transpose()?;
    let row = plain.as_ref().unwrap_or(row);
    if row.is_none() {
        return Err(RowError::NullRow.into());
    }
    let Some(row) = as_sequence(row, MAX_POINTS)? else {
        return Err(wrong_type(None, format!("a row must be a sequence of words or strokes, got {}", type_name(row))));
    };
    // An empty list is a stroke among strokes and a word among words; it counts as soon as its neighbours tell.
    let mut empty = 0;
    let mut of_strokes = false;
    for index in 0..row.length {
        let item = walk.item(&row, index)?;
        match level(&item, walk)? {
            Level::Null => return Err(RowError::NullStroke { stroke: walk.rows.strokes_in_row() + empty }.into()),
            Level::Empty if of_strokes => walk.end_stroke()?,
            Level::Empty => empty += 1,
            Level::Stroke(points) => {
                of_strokes = true;
                (0..std::mem::take(&mut empty)).try_for_each(|_| walk.end_stroke())?;
                collect_stroke(&points, walk)?;
            }
            Level::Word => {
                empty = 0;
                walk.rows.end_word();
                collect_word(&item, walk)?;
                walk.rows.end_word();
            }
            Level::Point => {
                let advice = "a row must be a list of strokes, and this looks like a list of points: put one stroke in \
                    a list, and convert [T, 3] offsets with strokes_from_offsets";
                return Err(wrong_type(None, advice.into()));
            }
        }
    }
    Ok(())
}

fn collect_word(word: &Bound<'_, PyAny>, walk: &mut Walk) -> Result<(), Stop> {
    let Some(word) = as_sequence(word, MAX_POINTS)? else {
        return Err(wrong_type(None, format!("a word must be a sequence of strokes, got {}", type_name(word))));
    };
    for index in 0..word.length {
        let item = walk.item(&word, index)?;
        match level(&item, walk)? {
            Level::Null => return Err(RowError::NullStroke { stroke: walk.rows.strokes_in_row() }.into()),
            Level::Empty => walk.end_stroke()?,
            Level::Stroke(points) => collect_stroke(&points, walk)?,
            Level::Word | Level::Point => {
                let problem = "expected a stroke here, in a word; the nesting is words -> strokes -> points";
                return Err(wrong_type(Some(walk.rows.strokes_in_row()), problem.into()));
            }
        }
    }
    Ok(())
}

/// Tells what an item of a row or word is.
fn level<'py>(item: &Bound<'py, PyAny>, walk: &mut Walk) -> Result<Level<'py>, Stop> {
    if item.is_none() {
        return Ok(Level::Null);
    }
    if let Ok(dict) = item.cast::<PyDict>() {
        return match dict.get_item(intern!(item.py(), "points"))? {
            Some(points) if points.is_none() => Ok(Level::Null),
            Some(points) => Ok(Level::Stroke(points)),
            None if is_point(item)? => Ok(Level::Point),
            None => Err(wrong_type(None, format!("a stroke dict needs the key 'points', got {}", keys(dict)))),
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

fn collect_stroke(points: &Bound<'_, PyAny>, walk: &mut Walk) -> Result<(), Stop> {
    let stroke = walk.rows.strokes_in_row();
    if let Some(array) = as_number_array(points) {
        collect_array(array, stroke, walk.rows)?;
    } else {
        let Some(points) = as_sequence(points, MAX_POINTS)? else {
            let found = type_name(points);
            return Err(wrong_type(Some(stroke), format!("points must be a sequence of (x, y), got {found}")));
        };
        walk.rows.expect_points(points.length)?;
        for point in 0..points.length {
            let (x, y) = coordinates(&points.get(point)?, stroke, point)?;
            walk.rows.push_point(x, y);
        }
    }
    walk.end_stroke()
}

fn collect_array(array: &Bound<'_, PyUntypedArray>, stroke: usize, rows: &mut OwnedRows) -> Result<(), Stop> {
    let py = array.py();
    if array.ndim() != 2 || array.shape()[1] != 2 || !matches!(array.dtype().kind(), b'f' | b'i' | b'u') {
        let found = format!("{:?} of {}", array.shape(), array.dtype());
        let problem = format!("a stroke array must be [N, 2] of a float or integer type, got {found}");
        return Err(wrong_type(Some(stroke), problem));
    }
    rows.expect_points(array.shape()[0])?;
    // A plain array has no mask; asking it costs as much as copying a short stroke.
    let plain = array.is_exact_instance_of::<PyUntypedArray>();
    let mask = if plain { None } else { array.getattr_opt(intern!(py, "mask"))? };
    if mask.map(|mask| mask.call_method0(intern!(py, "any"))?.is_truthy()).transpose()? == Some(true) {
        return Err(wrong_type(Some(stroke), "some points are masked; leave them out".into()));
    }
    if let Some(points) = aligned::<f64>(array) {
        push_points(&points, rows);
    } else if let Some(points) = aligned::<f32>(array) {
        push_points(&points, rows);
    } else {
        let points = array.call_method1(intern!(py, "astype"), ("float64",))?;
        let Some(points) = points.cast::<PyUntypedArray>().ok().and_then(aligned::<f64>) else {
            return Err(wrong_type(Some(stroke), "its copy as float64 is none".into()));
        };
        // A subclass may say of its copy whatever it likes.
        if points.shape() != array.shape() {
            return Err(wrong_type(Some(stroke), "its copy as float64 has another shape".into()));
        }
        push_points(&points, rows);
    }
    Ok(())
}

/// The array, if it has this type and its numbers lie where the processor wants them.
fn aligned<'py, T: Element>(array: &Bound<'py, PyUntypedArray>) -> Option<PyReadonlyArray2<'py, T>> {
    let points = array.extract::<PyReadonlyArray2<T>>().ok()?;
    let places = [points.data().addr(), points.strides()[0].unsigned_abs(), points.strides()[1].unsigned_abs()];
    places.iter().all(|place| place % align_of::<T>() == 0).then_some(points)
}

fn push_points<T: Element + Copy + Into<f64>>(points: &PyReadonlyArray2<T>, rows: &mut OwnedRows) {
    let points = points.as_array();
    // A slice only of rows that lie one after another, x beside y.
    match points.to_slice() {
        Some(values) => values.as_chunks().0.iter().for_each(|&[x, y]| rows.push_point(x.into(), y.into())),
        None => points.rows().into_iter().for_each(|pair| rows.push_point(pair[0].into(), pair[1].into())),
    }
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
    } else if let Some(pair) = as_sequence(point, MAX_POINTS)? {
        if pair.length != 2 {
            let problem = format!("point {index} must be a pair of numbers, got {} of them", pair.length);
            return Err(wrong_type(Some(stroke), problem));
        }
        (pair.get(0)?, pair.get(1)?)
    } else {
        return Err(wrong());
    };
    if x.is_none() || y.is_none() {
        return Err(null());
    }
    if [&x, &y].iter().any(|value| value.is_instance_of::<PyString>() || value.is_instance_of::<PyBool>()) {
        return Err(wrong());
    }
    match (number(&x)?, number(&y)?) {
        (Some(x), Some(y)) => Ok((x, y)),
        _ => Err(wrong_type(Some(stroke), format!("point {index}: x or y is not a number that a float64 can hold"))),
    }
}

/// Whether an object looks like a point, by its own shape or keys. A dict with points is a stroke, whatever else it has.
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
        return is_number(&first);
    }
    let second = sequence.get(1)?;
    Ok(second.is_none() || is_number(&second)?)
}

fn is_number(object: &Bound<'_, PyAny>) -> PyResult<bool> {
    let text_or_list = object.is_instance_of::<PyString>() || object.is_instance_of::<PySequence>();
    Ok(!text_or_list && number(object)?.is_some())
}

/// The number that an object is or can become.
fn number(object: &Bound<'_, PyAny>) -> PyResult<Option<f64>> {
    if_it_works(object.py(), object.extract())
}

/// The outcome of asking an object for something; `None` if it raised an exception, unless that ends the program.
fn if_it_works<T>(py: Python<'_>, outcome: PyResult<T>) -> PyResult<Option<T>> {
    match outcome {
        Err(error) if error.is_instance_of::<PyException>(py) => Ok(None),
        outcome => outcome.map(Some),
    }
}

/// Something that is read by position: a list, tuple, NumPy array or other sequence as it is; anything else that has a
/// length and can be iterated, such as a pandas Series, as a list of its items, `most` at most. `None` for text, dicts,
/// sets and the rest.
fn as_sequence<'py>(object: &Bound<'py, PyAny>, most: usize) -> PyResult<Option<Sequence<'py>>> {
    let no_sequence = object.is_instance_of::<PyString>()
        || object.is_instance_of::<PyBytes>()
        || object.is_instance_of::<PyByteArray>()
        || object.is_instance_of::<PyMapping>()
        || object.is_instance_of::<PySet>()
        || object.is_instance_of::<PyFrozenSet>();
    if no_sequence || object.is_instance_of::<PyFloat>() {
        return Ok(None);
    }
    if let Ok(array) = object.cast::<PyUntypedArray>() {
        let items = object.clone();
        return Ok((array.ndim() > 0).then(|| Sequence { length: array.shape()[0], items }));
    }
    if object.is_instance_of::<PyList>() || object.is_instance_of::<PyTuple>() || object.is_instance_of::<PySequence>()
    {
        return Ok(Some(Sequence { length: object.len()?, items: object.clone() }));
    }
    let py = object.py();
    let iterable = object.hasattr(intern!(py, "__iter__"))? || object.hasattr(intern!(py, "__getitem__"))?;
    if !iterable || !object.hasattr(intern!(py, "__len__"))? {
        return Ok(None);
    }
    // A tensor of no dimensions has both methods, and neither works.
    let Some(length) = if_it_works(py, object.len())? else { return Ok(None) };
    if length > most {
        return Err(PyValueError::new_err(format!("{length} items where at most {most} are read")));
    }
    let items = object.try_iter()?.take(length).collect::<PyResult<Vec<_>>>()?;
    let items = PyList::new(py, items)?.into_any();
    Ok(Some(Sequence { length: items.len()?, items }))
}

/// An object with its length, read by position.
struct Sequence<'py> {
    length: usize,
    items: Bound<'py, PyAny>,
}

impl<'py> Sequence<'py> {
    fn get(&self, index: usize) -> PyResult<Bound<'py, PyAny>> {
        self.items.get_item(index)
    }
}

/// A NumPy array of numbers; one of objects is taken for the sequence of Python objects that it is.
fn as_number_array<'a, 'py>(object: &'a Bound<'py, PyAny>) -> Option<&'a Bound<'py, PyUntypedArray>> {
    let array = object.cast::<PyUntypedArray>().ok()?;
    (array.dtype().kind() != b'O').then_some(array)
}

fn keys(dict: &Bound<'_, PyDict>) -> String {
    let names: Vec<String> = dict.keys().iter().take(5).map(|key| key.to_string()).collect();
    format!("the keys {names:?}")
}

fn type_name(object: &Bound<'_, PyAny>) -> String {
    object.get_type().name().map_or_else(|_| "an unknown type".into(), |name| name.to_string())
}

/// `problem` may have text of the row's own in it, of any length.
fn wrong_type(stroke: Option<usize>, problem: String) -> Stop {
    const MOST_CHARACTERS: usize = 300;
    let problem = match problem.char_indices().nth(MOST_CHARACTERS) {
        Some((end, _)) => format!("{}...", &problem[..end]),
        None => problem,
    };
    Stop::Row(RowError::WrongType { stroke, problem })
}
