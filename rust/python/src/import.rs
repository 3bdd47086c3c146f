//! Stroke columns from Arrow objects (PyCapsule interface).

use arrow_array::cast::AsArray;
use arrow_array::new_empty_array;
use arrow_schema::DataType;
use penpal_core::StrokeColumn;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3_arrow::input::AnyArray;

use crate::errors::penpal_error;
use crate::nested::is_of_row;
use crate::quiet::unless_it_panics;

/// Maximum number of levels in a PyArrow type. Arrow libraries recurse into types, and thousands of levels overflow the
/// stack.
const MAX_DEPTH: usize = 64;

/// Maximum number of types in a PyArrow type, which may share an inner type with itself any number of times.
const MAX_TYPES: usize = 100_000;

/// Refuses PyArrow data whose type is nested too deep or has too many parts. Types of other producers cannot be read
/// before the import.
fn check_type(source: &Bound<'_, PyAny>) -> PyResult<()> {
    let mut types: Vec<(Bound<'_, PyAny>, usize)> = Vec::new();
    if let Some(kind) = source.getattr_opt("type")? {
        types.push((kind, 1));
    } else if let Some(schema) = source.getattr_opt("schema")? {
        for kind in schema.getattr("types")?.try_iter()? {
            types.push((kind?, 1));
        }
    }
    let py = source.py();
    let mut seen = 0;
    while let Some((kind, depth)) = types.pop() {
        seen += 1;
        if seen > MAX_TYPES {
            let message = format!("cannot read the Arrow data: its type has more than {MAX_TYPES} parts");
            return Err(penpal_error(py, message));
        }
        if depth > MAX_DEPTH {
            let message = format!("cannot read the Arrow data: a type has more than {MAX_DEPTH} levels");
            return Err(penpal_error(py, message));
        }
        let fields = kind.getattr(intern!(py, "num_fields"))?.extract::<usize>()?;
        for index in 0..fields {
            let field = kind.call_method1(intern!(py, "field"), (index,))?;
            types.push((field.getattr(intern!(py, "type"))?, depth + 1));
        }
        // Dictionaries and extension types have no fields, but an inner type and their own classes. Looking for an
        // inner type of number types would take longer than everything else here.
        if fields == 0 && kind.get_type().fully_qualified_name()? != "pyarrow.lib.DataType" {
            for name in [intern!(py, "value_type"), intern!(py, "storage_type")] {
                if let Some(inner) = kind.getattr_opt(name)? {
                    types.push((inner, depth + 1));
                }
            }
        }
    }
    Ok(())
}

/// Whether an object belongs to PyArrow.
fn is_pyarrow(source: &Bound<'_, PyAny>) -> PyResult<bool> {
    Ok(source.get_type().module()?.to_str()?.starts_with("pyarrow"))
}

/// The stroke column of an Arrow array, chunked array, record batch or table.
pub fn import_column(source: &Bound<'_, PyAny>, column: &str) -> PyResult<StrokeColumn> {
    let py = source.py();
    if is_pyarrow(source)? {
        check_type(source)?;
    }
    let unreadable = |error: String| penpal_error(py, format!("cannot read the Arrow data: {error}"));
    let read = || PyResult::Ok(source.extract::<AnyArray>()?.into_chunked_array()?.into_inner());
    // The import panics on some arrays that break the rules of the C data interface.
    let (chunks, field) = match unless_it_panics(read) {
        Some(Ok(read)) => read,
        Some(Err(error)) if is_of_row(py, &error)? => return Err(unreadable(error.to_string())),
        Some(Err(error)) => return Err(error),
        None => return Err(unreadable("it breaks the rules of Arrow's C data interface".into())),
    };
    // Without a chunk the type would not be checked.
    let chunks = if chunks.is_empty() { vec![new_empty_array(field.data_type())] } else { chunks };
    let DataType::Struct(fields) = field.data_type() else {
        return StrokeColumn::new(&chunks).map_err(|error| penpal_error(py, error.to_string()));
    };
    let Some((index, _)) = fields.find(column) else {
        let names: Vec<_> = fields.iter().map(|field| field.name().as_str()).collect();
        return Err(penpal_error(
            py,
            format!("no column {column:?}; the columns are {}; name yours with column=", names.join(", ")),
        ));
    };
    StrokeColumn::of_field(chunks.iter().map(|chunk| chunk.as_struct()), index)
        .map_err(|error| penpal_error(py, format!("column {column:?} is {error}")))
}
