//! Python bindings of `penpal_core`: they convert, release the GIL and call.

mod arrays;
mod engine;
mod errors;
mod import;
mod line_width;
mod nested;
mod parquet;
mod quiet;
mod reader;
mod rows;
mod threads;
mod training;
mod writing;

use pyo3::prelude::*;

/// The private extension module of the Python package.
#[pymodule]
mod _core {
    #[pymodule_export]
    use super::engine::{Engine, peak_multiplications};
    #[pymodule_export]
    use super::parquet::{Footer, StrokeReader, append_columns, appended_places, concatenate};
    #[pymodule_export]
    use super::reader::{Reader, path, read_probabilities};
    #[pymodule_export]
    use super::rows::Rows;
    #[pymodule_export]
    use super::training::Backpropagation;

    #[pymodule_export]
    const VERSION: &str = env!("CARGO_PKG_VERSION");
    #[pymodule_export]
    const SIDE: usize = penpal_core::SIDE;
    #[pymodule_export]
    const PADDING: usize = penpal_core::PADDING;
    #[pymodule_export]
    const MAX_METADATA_BYTES: usize = penpal_parquet::MAX_METADATA_BYTES;
    #[pymodule_export]
    const MAX_THREADS: usize = penpal_core::MAX_THREADS;
    #[pymodule_export]
    const MAX_POINTS: usize = penpal_core::limits::MAX_POINTS;
    #[pymodule_export]
    const ACCEPTED_TYPES: &str = penpal_core::arrow::ACCEPTED_TYPES;
}
