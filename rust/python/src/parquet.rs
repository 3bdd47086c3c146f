//! Parquet files out of the encoded columns of others.

use std::io;
use std::path::PathBuf;

use penpal_parquet::ParquetError;
use pyo3::prelude::*;

use crate::errors::penpal_error;

/// Writes the row groups from `start` up to `stop` of `source` with the columns of the file `added`, which replace columns
/// of their names; `metadata` is the new file's.
#[pyfunction]
pub fn append_columns(
    py: Python<'_>,
    source: PathBuf,
    start: usize,
    stop: usize,
    added: PathBuf,
    metadata: Vec<(String, String)>,
    output: PathBuf,
) -> PyResult<()> {
    py.detach(|| penpal_parquet::append_columns(&source, start..stop, &added, metadata, &output))
        .map_err(|error| python_error(py, error))
}

/// Writes the row groups of the files, which have one schema, one after another, with the metadata of the first.
#[pyfunction]
pub fn concatenate(py: Python<'_>, files: Vec<PathBuf>, output: PathBuf) -> PyResult<()> {
    py.detach(|| penpal_parquet::concatenate(&files, &output)).map_err(|error| python_error(py, error))
}

/// An operating system's error as `OSError`, any other as `PenpalError`.
fn python_error(py: Python<'_>, error: ParquetError) -> PyErr {
    match error {
        ParquetError::External(inner) => match inner.downcast::<io::Error>() {
            Ok(error) => PyErr::from(*error),
            Err(other) => penpal_error(py, other.to_string()),
        },
        other => penpal_error(py, other.to_string()),
    }
}
