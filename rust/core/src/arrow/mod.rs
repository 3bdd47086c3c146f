//! Stroke columns of Arrow arrays, read in place.
//!
//! `levels` finds words, strokes and points by the type, `points` reads coordinates as `numbers`, from structs or
//! `pairs`. `chunk` is one array and `column` all chunks. `penpal_array` goes the other way.

mod buffers;
mod chunk;
mod column;
mod levels;
mod list;
mod numbers;
mod pairs;
mod penpal_array;
mod points;

pub use chunk::StrokeChunk;
pub use column::StrokeColumn;
pub use levels::{ACCEPTED_TYPES, TypeMismatch};
pub use penpal_array::penpal_array;
