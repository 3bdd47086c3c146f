//! Checks of Parquet files, their columns of strokes, and files made of the encoded columns of other files.

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use numpy::PyArray1;
use penpal_parquet::{Bytes, Decompress, ParquetError, StrokeLevel, Values};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;

use crate::errors::penpal_error;
use crate::threads::unused;

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

    /// Bytes between the last that the metadata describes and the metadata itself.
    fn bytes_before_metadata(&self) -> u64 {
        self.0.bytes_before_metadata()
    }

    /// Checks the pages of a row group. Returns the size of the largest page that any number of texts may refer to.
    fn check_pages(&self, py: Python<'_>, path: PathBuf, row_group: usize) -> PyResult<u64> {
        py.detach(|| self.0.check_pages(&File::open(path)?, row_group)).map_err(|error| python_error(py, error))
    }

    /// The columns that `strokes` may read: the index of each, and its number of levels above the coordinates.
    fn stroke_columns(&self) -> Vec<(usize, usize)> {
        self.0.stroke_columns()
    }

    /// Begins to read a column of strokes of a row group. `decompress` takes the name of a codec, bytes and the size of
    /// the result, and returns that.
    fn strokes(
        &self,
        py: Python<'_>,
        path: PathBuf,
        row_group: usize,
        column: usize,
        decompress: Py<PyAny>,
    ) -> PyResult<StrokeReader> {
        let decompress: Decompress = Arc::new(move |codec, bytes, size| {
            let call = |py: Python<'_>| {
                let found = decompress.call1(py, (codec.name(), PyBytes::new(py, bytes), size))?;
                PyResult::Ok(found.extract::<PyBackedBytes>(py)?)
            };
            let found = Python::attach(call).map_err(|error| ParquetError::External(Box::new(error)))?;
            Ok(Bytes::from_owner(found))
        });
        let reader = py.detach(|| self.0.strokes(File::open(path)?, row_group, column, decompress));
        reader.map(|reader| StrokeReader(Mutex::new(reader))).map_err(|error| python_error(py, error))
    }
}

type Bits<'py> = Option<Bound<'py, PyArray1<u8>>>;
type StrokeRows<'py> =
    (usize, Vec<(Option<Bound<'py, PyArray1<i32>>>, Bits<'py>)>, [(Bound<'py, PyAny>, Bits<'py>); 2]);

/// Reads a column of strokes of a row group into the buffers of Arrow arrays.
#[pyclass(frozen)]
pub struct StrokeReader(Mutex<penpal_parquet::StrokeReader>);

#[pymethods]
impl StrokeReader {
    /// Reads up to `rows` whole rows, at least one, and no more after `points` points.
    ///
    /// Returns their number, 0 at the end; for each level from the rows down, the offsets of lists and the null bitmap;
    /// and for each coordinate, float32 or float64 values and the null bitmap. Without nulls there is no bitmap.
    fn read<'py>(&self, py: Python<'py>, rows: usize, points: usize) -> PyResult<StrokeRows<'py>> {
        let mut lock = unused(&self.0).ok_or_else(|| penpal_error(py, "another call reads from this object"))?;
        let reader = &mut *lock;
        let read = py.detach(|| reader.read(rows, points));
        let read = read.map_err(|error| python_error(py, error))?;
        let bits = |bits: Option<Vec<u8>>| bits.map(|bits| PyArray1::from_vec(py, bits));
        let level =
            |(offsets, valid): StrokeLevel| (offsets.map(|offsets| PyArray1::from_vec(py, offsets)), bits(valid));
        let axis = |(values, valid)| {
            let values = match values {
                Values::Float32(values) => PyArray1::from_vec(py, values).into_any(),
                Values::Float64(values) => PyArray1::from_vec(py, values).into_any(),
            };
            (values, bits(valid))
        };
        Ok((read.rows, read.levels.into_iter().map(level).collect(), read.axes.map(axis)))
    }
}

/// A file, its first row group and the one after the last, and the file whose columns are added, which replace columns
/// of the same name.
type Piece = (PathBuf, usize, usize, PathBuf);

fn pieces_of(pieces: Vec<Piece>) -> Vec<penpal_parquet::Piece> {
    let piece = |(source, start, stop, added)| penpal_parquet::Piece { source, row_groups: start..stop, added };
    pieces.into_iter().map(piece).collect()
}

/// Writes row groups of files with the columns that are added. `metadata` is the metadata of the new file.
#[pyfunction]
pub fn append_columns(
    py: Python<'_>,
    pieces: Vec<Piece>,
    metadata: Vec<(String, String)>,
    output: PathBuf,
) -> PyResult<()> {
    py.detach(|| penpal_parquet::append_columns(&pieces_of(pieces), metadata, &output))
        .map_err(|error| python_error(py, error))
}

/// The files and ranges of bytes, each from the first up to the one after the last, that `append_columns` copies.
#[pyfunction]
pub fn appended_places(py: Python<'_>, pieces: Vec<Piece>) -> PyResult<Vec<(PathBuf, u64, u64)>> {
    let places = py.detach(|| penpal_parquet::appended_places(&pieces_of(pieces)));
    let places = places.map_err(|error| python_error(py, error))?;
    Ok(places.into_iter().map(|(path, place)| (path, place.start, place.end)).collect())
}

/// Writes the row groups of files with the same schema, one after another, with the metadata of the first file.
#[pyfunction]
pub fn concatenate(py: Python<'_>, files: Vec<PathBuf>, output: PathBuf) -> PyResult<()> {
    py.detach(|| penpal_parquet::concatenate(&files, &output)).map_err(|error| python_error(py, error))
}

/// An error of the operating system as `OSError`, one of Python as it is, any other as `PenpalError`.
fn python_error(py: Python<'_>, error: ParquetError) -> PyErr {
    match error {
        ParquetError::External(inner) => match inner.downcast::<io::Error>() {
            Ok(error) => PyErr::from(*error),
            Err(other) => match other.downcast::<PyErr>() {
                Ok(error) => *error,
                Err(other) => penpal_error(py, other.to_string()),
            },
        },
        other => penpal_error(py, penpal_parquet::text(&other)),
    }
}
