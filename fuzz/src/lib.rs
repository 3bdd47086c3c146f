//! What the fuzz targets share: bytes read as numbers, and rows of strokes made of them.

pub mod arrow;
pub mod bytes;
pub mod ink;
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
