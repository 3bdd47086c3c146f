//! The quality network on the processor: only what the ink changes is computed.
//!
//! Most of a canvas is blank, and a blank canvas always gives the same activations. Every thread keeps the activations
//! of the blank canvas for each layer; for a row, each layer recomputes the outputs whose receptive field touches the
//! ink, and afterwards the blank values are restored. The order of a pixel's sum does not depend on its place, so the
//! result has the same bits as computing everything.
//!
//! `structure` says which convolutions a network has and `description` holds their numbers. `layers` runs them,
//! `convolution` and `winograd` are the kernels and [`registers`](crate::registers) their inner loop. `plane` holds
//! activations, `changes` which of them the ink changed.

mod changes;
mod convolution;
mod description;
mod engine;
mod layers;
mod plane;
mod profile;
pub mod structure;
mod winograd;

pub use description::{Network, NetworkError};
pub use engine::Engine;
pub use profile::{Stage, peak_multiplications};
