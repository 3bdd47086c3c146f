//! The gradient of a loss by the numbers of the quality network, with batch norm as in training.
//!
//! [`Backpropagation`] takes a batch through the network of `structure` layer by layer, its pictures (`maps`) in parallel:
//! `windows` are the convolutions and the way back to their inputs, `weight_gradient` is the way to their weights,
//! `normalization` batch norm. Pictures are summed in their order, so that nothing depends on the number of threads.

mod backpropagation;
mod maps;
mod normalization;
mod structure;
mod weight_gradient;
mod windows;

pub use backpropagation::{Backpropagation, Gradients, Layer, Parameters, Statistics};
