//! Rows from nested Python: lists of words, strokes and points, dicts and NumPy arrays.
//!
//! `convert` walks through rows, words and strokes, which `level` tells apart. `points` reads the points of a stroke.

mod convert;
mod exceptions;
mod level;
mod points;
mod sequence;
mod walk;

pub use convert::convert;
pub use exceptions::is_of_row;
