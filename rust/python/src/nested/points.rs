//! The points of a stroke.

use numpy::{Element, PyArrayDescrMethods, PyArrayMethods, PyReadonlyArray2, PyUntypedArray, PyUntypedArrayMethods};
use penpal_core::limits::MAX_POINTS;
use penpal_core::{OwnedRows, RowError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyString};

use super::sequence::{as_number_array, as_sequence, number, type_name};
use super::walk::{Stop, Walk, wrong_type};

pub fn collect_stroke(points: &Bound<'_, PyAny>, walk: &mut Walk) -> Result<(), Stop> {
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
            let (x, y) = coordinates(&walk.item(&points, point)?, stroke, point)?;
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
    // A plain array has no mask, and looking for one takes as long as copying a short stroke.
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
            return Err(wrong_type(Some(stroke), "the array could not be converted to float64".into()));
        };
        // The copy of a subclass may have any shape.
        if points.shape() != array.shape() {
            return Err(wrong_type(Some(stroke), "converting the array to float64 changed its shape".into()));
        }
        push_points(&points, rows);
    }
    Ok(())
}

/// The array, if it has this type and is aligned.
fn aligned<'py, T: Element>(array: &Bound<'py, PyUntypedArray>) -> Option<PyReadonlyArray2<'py, T>> {
    let points = array.extract::<PyReadonlyArray2<T>>().ok()?;
    let places = [points.data().addr(), points.strides()[0].unsigned_abs(), points.strides()[1].unsigned_abs()];
    places.iter().all(|place| place % align_of::<T>() == 0).then_some(points)
}

fn push_points<T: Element + Copy + Into<f64>>(points: &PyReadonlyArray2<T>, rows: &mut OwnedRows) {
    let points = points.as_array();
    // There is a slice only if the array is C-contiguous.
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
        let found = format!("a pair of {} and {}", type_name(&x), type_name(&y));
        return Err(wrong_type(Some(stroke), format!("point {index} must be a pair of numbers, got {found}")));
    }
    match (number(&x)?, number(&y)?) {
        (Some(x), Some(y)) => Ok((x, y)),
        _ => Err(wrong_type(Some(stroke), format!("point {index}: x or y is not a number that a float64 can hold"))),
    }
}
