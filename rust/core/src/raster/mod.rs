//! Antialiased polylines: each pair of neighbouring points is a capsule, and a pixel takes the largest coverage.
//!
//! The smallest distance gives the largest coverage. So drawing keeps only the smallest squared distance of each pixel
//! to any segment. The square root is taken once for each pixel, when the coverage is read.
//!
//! The code uses additions, multiplications, divisions and square roots, but no fused multiply-add, so that every
//! processor gives the same bits.

mod capsule;
mod distances;
mod drawing;
mod line;
mod segments;

pub(crate) use drawing::Raster;
