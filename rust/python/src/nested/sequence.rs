//! Python objects that are read by position, and numbers.

use numpy::{PyArrayDescrMethods, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::exceptions::PyValueError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{
    PyByteArray, PyBytes, PyComplex, PyDict, PyFloat, PyFrozenSet, PyInt, PyList, PySet, PyString, PyTuple, PyType,
};

use super::exceptions::is_of_row;

pub fn is_number(object: &Bound<'_, PyAny>) -> PyResult<bool> {
    if object.is_instance_of::<PyFloat>() || object.is_instance_of::<PyInt>() {
        return Ok(number(object)?.is_some());
    }
    let text_or_list = object.is_instance_of::<PyString>() || is_sequence(object)?;
    Ok(!text_or_list && number(object)?.is_some())
}

fn is_sequence(object: &Bound<'_, PyAny>) -> PyResult<bool> {
    static SEQUENCE: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    Ok(is_list(object) || is_of(object, SEQUENCE.import(object.py(), "collections.abc", "Sequence")?)?)
}

fn is_mapping(object: &Bound<'_, PyAny>) -> PyResult<bool> {
    static MAPPING: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    Ok(object.is_instance_of::<PyDict>() || is_of(object, MAPPING.import(object.py(), "collections.abc", "Mapping")?)?)
}

/// Whether an object is of a class of `collections.abc`. This runs Python code, in which a program may be interrupted;
/// PyO3's own check would lose the interrupt.
fn is_of(object: &Bound<'_, PyAny>, class: &Bound<'_, PyType>) -> PyResult<bool> {
    Ok(if_it_works(object.py(), object.is_instance(class))?.unwrap_or(false))
}

fn is_list(object: &Bound<'_, PyAny>) -> bool {
    object.is_instance_of::<PyList>() || object.is_instance_of::<PyTuple>()
}

/// The number that an object is or converts to.
pub fn number(object: &Bound<'_, PyAny>) -> PyResult<Option<f64>> {
    let plain = object.is_instance_of::<PyFloat>() || object.is_instance_of::<PyInt>();
    if !plain && if_it_works(object.py(), is_complex(object))? == Some(true) {
        return Ok(None);
    }
    if_it_works(object.py(), object.extract())
}

/// NumPy's complex numbers would convert to their real part, with a warning.
fn is_complex(object: &Bound<'_, PyAny>) -> PyResult<bool> {
    if object.is_instance_of::<PyComplex>() {
        return Ok(true);
    }
    let Some(dtype) = object.getattr_opt(intern!(object.py(), "dtype"))? else {
        return Ok(false);
    };
    Ok(dtype.getattr_opt(intern!(object.py(), "kind"))?.map(|kind| kind.extract::<String>()).transpose()?
        == Some("c".into()))
}

/// The result of a call to an object. `None` if the object raised an exception.
pub fn if_it_works<T>(py: Python<'_>, outcome: PyResult<T>) -> PyResult<Option<T>> {
    match outcome {
        Err(error) if is_of_row(py, &error)? => Ok(None),
        outcome => outcome.map(Some),
    }
}

/// An object that is read by position. A list, tuple, NumPy array or other sequence is read directly. Another object
/// with a length and an iterator, such as a pandas Series, becomes a list of its items, `most` at most. `None` for
/// text, dicts, sets and everything else.
pub fn as_sequence<'py>(object: &Bound<'py, PyAny>, most: usize) -> PyResult<Option<Sequence<'py>>> {
    if is_list(object) {
        return Ok(Some(Sequence { length: object.len()?, items: object.clone() }));
    }
    let no_sequence = object.is_instance_of::<PyFloat>()
        || object.is_instance_of::<PyInt>()
        || object.is_instance_of::<PyString>()
        || object.is_instance_of::<PyBytes>()
        || object.is_instance_of::<PyByteArray>()
        || object.is_instance_of::<PySet>()
        || object.is_instance_of::<PyFrozenSet>();
    if no_sequence {
        return Ok(None);
    }
    if let Ok(array) = object.cast::<PyUntypedArray>() {
        let items = object.clone();
        return Ok((array.ndim() > 0).then(|| Sequence { length: array.shape()[0], items }));
    }
    if is_mapping(object)? {
        return Ok(None);
    }
    if is_sequence(object)? {
        return Ok(Some(Sequence { length: object.len()?, items: object.clone() }));
    }
    let py = object.py();
    let iterable = object.hasattr(intern!(py, "__iter__"))? || object.hasattr(intern!(py, "__getitem__"))?;
    if !iterable || !object.hasattr(intern!(py, "__len__"))? {
        return Ok(None);
    }
    // A tensor without dimensions has both methods, but they raise.
    let Some(length) = if_it_works(py, object.len())? else { return Ok(None) };
    if length > most {
        return Err(PyValueError::new_err(format!("{length} items where at most {most} are read")));
    }
    let items = object.try_iter()?.take(length).collect::<PyResult<Vec<_>>>()?;
    let items = PyList::new(py, items)?.into_any();
    Ok(Some(Sequence { length: items.len()?, items }))
}

/// An object with its length, read by position.
pub struct Sequence<'py> {
    pub length: usize,
    items: Bound<'py, PyAny>,
}

impl<'py> Sequence<'py> {
    pub fn py(&self) -> Python<'py> {
        self.items.py()
    }

    pub fn get(&self, index: usize) -> PyResult<Bound<'py, PyAny>> {
        self.items.get_item(index)
    }
}

/// A NumPy array of numbers. An array of objects is read as a sequence instead.
pub fn as_number_array<'a, 'py>(object: &'a Bound<'py, PyAny>) -> Option<&'a Bound<'py, PyUntypedArray>> {
    let array = object.cast::<PyUntypedArray>().ok()?;
    (array.dtype().kind() != b'O').then_some(array)
}

pub fn type_name(object: &Bound<'_, PyAny>) -> String {
    object.get_type().name().map_or_else(|_| "an unknown type".into(), |name| name.to_string())
}
