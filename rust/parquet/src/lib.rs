//! Makes Parquet files from the encoded columns of other files. A line of strokes is copied much faster than it is
//! decoded and encoded again, which takes about as long as scoring it.
//!
//! [`append_columns`] puts the columns of files beside the columns of others. [`concatenate`] puts the row groups
//! of files one after another. A [`Footer`] holds checked metadata, as a file may come from anywhere. A [`StrokeReader`]
//! decodes columns of strokes.

mod checks;
mod copying;
mod error;
mod strokes;

pub use bytes::Bytes;
pub use checks::{Footer, MAX_METADATA_BYTES, RowGroup};
pub use copying::{Piece, append_columns, appended_places, concatenate};
pub use error::text;
pub use parquet::errors::ParquetError;
pub use strokes::{Codec, Decompress, StrokeLevel, StrokeReader, StrokeRows, Values};
