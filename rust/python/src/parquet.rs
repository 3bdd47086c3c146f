//! Checks of Parquet files, and files made of the encoded columns of other files.

use std::fs::File;
use std::io;
use std::path::PathBuf;

use penpal_parquet::ParquetError;
use pyo3::prelude::*;

use crate::errors::penpal_error;

/// The checked footer of a Parquet file: `metadata` is the end of a file of `file_size` bytes, without the last 8.
#[pyclass(frozen)]
pub struct Footer(penpal_parquet::Footer);

#[pymethods]
impl Footer {
    #[new]
    fn new(py: Python<'_>, metadata: &[u8], file_size: u64) -> PyResult<Self> {
        let footer = penpal_parquet::Footer::parse(metadata, file_size);
        footer.map(Footer).map_err(|error| python_error(py, error))
    }

    /// For each row group its rows, its bytes in memory, and whether the start of each column is known.
    fn row_groups(&self) -> Vec<(u64, u64, bool)> {
        self.0.row_groups().into_iter().map(|group| (group.rows, group.bytes, group.has_beginnings)).collect()
    }

    /// Checks the pages of a row group. Returns the size of the largest page that any number of texts may refer to.
    fn check_pages(&self, py: Python<'_>, path: PathBuf, row_group: usize) -> PyResult<u64> {
        py.detach(|| self.0.check_pages(&File::open(path)?, row_group)).map_err(|error| python_error(py, error))
    }
}

/// Writes the row groups from `start` up to `stop` of `source` with the columns of the file `added`, which replace
/// columns of the same name. `metadata` is the metadata of the new file.
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

/// Writes the row groups of files with the same schema, one after another, with the metadata of the first file.
#[pyfunction]
pub fn concatenate(py: Python<'_>, files: Vec<PathBuf>, output: PathBuf) -> PyResult<()> {
    py.detach(|| penpal_parquet::concatenate(&files, &output)).map_err(|error| python_error(py, error))
}

/// An error of the operating system as `OSError`, any other as `PenpalError`.
fn python_error(py: Python<'_>, error: ParquetError) -> PyErr {
    match error {
        ParquetError::External(inner) => match inner.downcast::<io::Error>() {
            Ok(error) => PyErr::from(*error),
            Err(other) => penpal_error(py, other.to_string()),
        },
        other => penpal_error(py, penpal_parquet::text(&other)),
    }
}
