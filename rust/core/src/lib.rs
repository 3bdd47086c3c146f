//! Rows of pen strokes to the 256 x 256 pictures that a handwriting-quality network sees.
//!
//! The modules follow the data: [`strokes`] (validated, borrowed) -> [`fit`] (into the padded canvas) -> [`raster`]
//! (antialiased capsules) -> [`render`] (many rows in parallel). [`rows`] and [`arrow`] say where rows come from.
//! [`network`] scores, [`training`] has the gradient that a network learns by.
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

pub mod arrow;
pub mod canvas;
pub mod error;
pub mod fit;
pub mod network;
pub mod penpal_array;
pub mod raster;
pub mod render;
pub mod rows;
mod spares;
pub mod strokes;
mod threads;
pub mod training;

pub use arrow::StrokeColumn;
pub use canvas::{Canvas, INNER, PADDING, PIXELS, SIDE};
pub use error::{Axis, RowError};
pub use network::{Block, Engine, Network, NetworkError, Shortcut, Stage, peak_multiplications};
pub use penpal_array::penpal_array;
pub use raster::LineWidth;
pub use render::{Scratch, render, render_rows};
pub use rows::{OwnedRows, Rows, Word};
pub use strokes::{Coordinates, Offsets, Strokes};
pub use threads::Threads;
