//! Rows of pen strokes to the 256 x 256 pictures that a handwriting-quality network sees.
//!
//! The modules follow the data: [`rows`] or [`arrow`] (where rows come from) -> [`strokes`] (one row, checked and
//! borrowed) -> [`fit`] (into the padded [`canvas`]) -> `raster` (antialiased capsules) -> [`render`] (many rows in
//! parallel) or [`network`] (scores); or [`strokes`] -> [`path`] (in heights of the writing) -> [`reader`] (what it says).
//! The crate `penpal-training` has the gradient of the network.
//!
//! ```
//! use penpal_core::{Canvas, Coordinates, LineWidth, Offsets, PIXELS, Scratch, Strokes, render};
//!
//! // One stroke of three points: down to the right, then straight up.
//! let (x, y) = ([0.0, 10.0, 10.0], [0.0, 10.0, 0.0]);
//! let strokes = Strokes::new(Offsets::Int32(&[0, 3]), Coordinates::Float64(&x), Coordinates::Float64(&y))?;
//!
//! let mut canvas: Box<Canvas> = vec![0.0; PIXELS].try_into().expect("PIXELS floats");
//! let line_width = LineWidth::new(1.5).expect("above 0 and at most 256");
//! render(&strokes, line_width, &mut canvas, &mut Scratch::default());
//! assert!(canvas.iter().any(|&coverage| coverage == 1.0));
//! # Ok::<(), penpal_core::RowError>(())
//! ```

mod aligned;
pub mod arrow;
pub mod canvas;
pub mod coordinates;
pub mod far_points;
pub mod fit;
pub mod limits;
pub mod network;
pub mod path;
mod raster;
pub mod reader;
pub mod registers;
pub mod render;
pub mod row_error;
pub mod rows;
mod spares;
pub mod strokes;
#[cfg(test)]
mod testing;
mod threads;

pub use aligned::Aligned;
pub use arrow::{StrokeColumn, penpal_array};
pub use canvas::{Canvas, INNER, LineWidth, PADDING, PIXELS, SIDE};
pub use coordinates::Coordinates;
pub use far_points::{FarPoints, far_points};
pub use network::structure::Structure;
pub use network::{Engine, Network, NetworkError, Stage, peak_multiplications};
pub use render::{Scratch, render, render_parts, render_rows};
pub use row_error::{Axis, RowError};
pub use rows::{OwnedRows, Rows, Word};
pub use strokes::{Offsets, Strokes};
pub use threads::{MAX_THREADS, Threads};
