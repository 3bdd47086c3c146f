//! The reader on the processor: what the ink of a row says, and how likely it says a text.
//!
//! A row's [path](crate::path) goes through convolutions over time, and each frame gets the log-probabilities of the
//! letters (`penpal_fast.reading.model` is the same network in MLX). [`ctc`] goes from these to texts and back.
//!
//! `description` says what a reader is and `layers` runs it: `product` does the convolutions of the stem, the mixes of
//! the channels and the head, which are all windows of an array times a matrix, and `depthwise` those over frames.
//! `reading` goes from log-probabilities to what a row says.

pub mod ctc;
mod depthwise;
mod description;
mod engine;
mod frames;
mod layers;
mod product;
mod reading;
mod softmax;

pub use description::{Convolution, ReaderBlock, ReaderError, ReaderNetwork};
pub use engine::Reader;
pub use reading::{Reading, Texts};
