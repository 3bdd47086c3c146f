//! The quality network on the processor: only what the ink changes is computed.
//!
//! Most of a canvas is blank, and a blank canvas always gives the same activations. Every thread keeps the activations of
//! the blank canvas for each layer; for a row, each layer recomputes the outputs whose receptive field touches the ink,
//! and afterwards the blank values are put back. A pixel's sum is taken in the same order wherever it lies, so the result
//! is bit for bit that of computing everything.

mod convolution;
mod engine;
mod plane;

pub use engine::{Block, Engine, Network, NetworkError, Shortcut};
pub(crate) use plane::Rectangle;
