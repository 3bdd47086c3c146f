//! The errors of reading and writing Parquet.

use parquet::errors::ParquetError;

pub type Result<T> = std::result::Result<T, ParquetError>;

pub fn mismatch(what: String) -> ParquetError {
    ParquetError::General(what)
}

/// The text of an error, without its kind.
#[must_use]
pub fn text(error: &ParquetError) -> String {
    match error {
        ParquetError::General(what) => what.clone(),
        other => other.to_string(),
    }
}
