//! The gradient of a loss with respect to the parameters of the quality network, with batch norm as in training or as in
//! scoring.
//!
//! [`Backpropagation`] runs a batch through the network layer by layer, forward and backward, with its pictures
//! (`maps`, of one `feature_map` for each layer) in parallel. `windows` computes convolutions and the gradients of their
//! inputs, `weight_gradient` the gradients of their weights, `normalization` batch norm. Equal rows of a picture, above
//! all the blank ones, are computed once (`shared_rows`), and `row_gradients` adds up what goes back to them. Pictures are
//! summed in order, so the result does not depend on the number of threads.

mod backpropagation;
mod feature_map;
mod maps;
mod normalization;
mod row_gradients;
mod shared_rows;
mod weight_gradient;
mod windows;

pub use backpropagation::{Backpropagation, Gradients, Layer, Parameters};
pub use normalization::Statistics;
