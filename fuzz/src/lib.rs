//! What the fuzz targets share: rows and Arrow arrays made from an input, and the picture's definition.

pub mod arrow;
pub mod ink;
pub mod numbers;
pub mod reference;

/// Fails the execution, so that libFuzzer keeps the input.
#[macro_export]
macro_rules! check {
    ($holds:expr, $($text:tt)+) => {
        if !$holds {
            panic!($($text)+);
        }
    };
}
