//! The quality network on the processor: only what the ink changes is computed.
//!
//! Most of a canvas is blank, and a blank canvas always gives the same activations. Every thread keeps the activations of
//! the blank canvas for each layer; for a row, each layer recomputes the outputs whose receptive field touches the ink,
//! and afterwards the blank values are put back. A pixel's sum is taken in the same order wherever it lies, so the result
//! is bit for bit that of computing everything.
//!
//! `description` says what a network is, `layers` runs it, `convolution` and `winograd` are its kernels and
//! `registers` their inner loop. `plane` holds activations, `changes` which of them the ink changed.

mod changes;
mod convolution;
mod description;
mod engine;
mod layers;
pub(crate) mod plane;
mod profile;
pub(crate) mod registers;
mod winograd;

pub(crate) use convolution::padded;
pub use description::{Block, Network, NetworkError, Shortcut};
pub use engine::Engine;
pub use profile::{Stage, peak_multiplications};
