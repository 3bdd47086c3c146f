//! Antialiased polylines: each pair of neighbouring points is a capsule, a pixel takes the largest coverage.
//!
//! The largest coverage is that of the smallest distance. So drawing only keeps, for each pixel, the smallest squared
//! distance to any segment; the square root is taken once a pixel, when the coverage is read.
//!
//! Only additions, multiplications, divisions and square roots are used, never a fused multiply-add, so that every
//! processor gives the same bits.

mod capsule;
mod distances;
mod segments;

use std::ops::Range;

use fearless_simd::Simd;

use crate::canvas::SIDE;
use crate::fit::CanvasPoints;
use capsule::Capsule;
use distances::Distances;
use segments::{SHORT_ROWS, Segment, Segments, TALL_ROWS};

pub(crate) use distances::{LANES, RowBits};

/// Squared length in px² under which a segment is drawn as the dot at its start; a millionth of a pixel long.
const DOT_LENGTH_SQUARED: f32 = 1e-12;

/// Width of a drawn line in pixels: above 0 and at most the side of the canvas.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LineWidth(f64);

impl LineWidth {
    /// The line width in pixels, or `None` unless it is above 0 and at most 256.
    pub fn new(pixels: f64) -> Option<Self> {
        (pixels > 0.0 && pixels <= SIDE as f64).then_some(LineWidth(pixels))
    }

    /// Distance from a line's centre at which coverage reaches 0.
    pub(crate) fn reach(self) -> f32 {
        (self.0 / 2.0 + 0.5) as f32
    }
}

/// The memory in which one thread draws. Between rows no pixel is so near to a line that it has ink.
#[derive(Clone, Debug, Default)]
pub(crate) struct Raster {
    distances: Distances,
    segments: Segments,
    /// The line width of the row before.
    line_width: Option<LineWidth>,
}

impl Raster {
    /// Draws strokes. `strokes` gives the range of each stroke's points.
    #[inline(always)]
    pub fn draw<S: Simd>(
        &mut self,
        simd: S,
        points: &CanvasPoints,
        strokes: impl Iterator<Item = Range<usize>>,
        line_width: LineWidth,
    ) {
        let reach = line_width.reach();
        if self.line_width.replace(line_width) != Some(line_width) {
            // Beside the ink of the rows before there may be distances that are ink for another width.
            self.distances.clear();
        }
        let Raster { distances, segments, .. } = self;
        segments.prepare(simd, points, reach);
        let end = |point: usize| [points.x[point], points.y[point]];
        for stroke in strokes {
            if stroke.len() == 1 {
                Capsule::new(end(stroke.start), end(stroke.start), reach).draw(simd, distances);
            }
            if let Some(last) = stroke.end.checked_sub(1) {
                // The pen is up on the way to the next stroke.
                segments.leave_out(last);
            }
        }
        for (index, group) in segments.groups().iter().enumerate() {
            for lane in 0..LANES {
                match group.segment(lane) {
                    Segment::None => {}
                    Segment::Short(window) => {
                        distances.lower_window::<S, SHORT_ROWS>(simd, window, || group.line(lane));
                    }
                    Segment::Tall(window) => {
                        distances.lower_window::<S, TALL_ROWS>(simd, window, || group.line(lane));
                    }
                    Segment::Long => {
                        let start = index * LANES + lane;
                        Capsule::new(end(start), end(start + 1), reach).draw(simd, distances);
                    }
                }
            }
        }
    }

    /// Writes the coverage of a row's pixels from column `first` on, a multiple of [`LANES`] as is their number, and
    /// forgets what was drawn there. Returns the pixels with any ink.
    #[inline(always)]
    pub fn take_row<S: Simd>(
        &mut self,
        simd: S,
        row: usize,
        first: usize,
        out: &mut [f32],
        line_width: LineWidth,
    ) -> RowBits {
        self.distances.take_row(simd, row, first, out, line_width.reach())
    }
}

#[cfg(test)]
mod tests {
    use fearless_simd::{Level, dispatch};

    use super::*;
    use crate::canvas::PIXELS;

    fn drawn_at(level: Level, points: &[[f32; 2]], line_width: f64) -> Vec<f32> {
        let mut canvas = vec![0.0; PIXELS];
        let x = points.iter().map(|point| point[0]).collect();
        let y = points.iter().map(|point| point[1]).collect();
        let width = LineWidth::new(line_width).unwrap();
        let (points, stroke) = (CanvasPoints { x, y }, std::iter::once(0..points.len()));
        let mut raster = Raster::default();
        dispatch!(level, simd => {
            raster.draw(simd, &points, stroke, width);
            for (row, pixels) in canvas.chunks_exact_mut(SIDE).enumerate() {
                let ink = raster.take_row(simd, row, 0, pixels, width);
                for (column, &pixel) in pixels.iter().enumerate() {
                    assert_eq!(ink[column / 64] >> (column % 64) & 1 == 1, pixel > 0.0);
                }
            }
            assert!(raster.distances.are_clear());
        });
        canvas
    }

    fn drawn(points: &[[f32; 2]], line_width: f64) -> Vec<f32> {
        drawn_at(Level::new(), points, line_width)
    }

    /// Coverage of the pixel at (column, row) by the segment, in float64 and straight from the definition.
    fn expected(column: usize, row: usize, a: [f32; 2], b: [f32; 2], line_width: f64) -> f64 {
        let [ax, ay, bx, by] = [a[0], a[1], b[0], b[1]].map(f64::from);
        let (px, py) = (column as f64 + 0.5 - ax, row as f64 + 0.5 - ay);
        let (dx, dy) = (bx - ax, by - ay);
        let length_squared = dx * dx + dy * dy;
        let along = if length_squared > 0.0 { ((px * dx + py * dy) / length_squared).clamp(0.0, 1.0) } else { 0.0 };
        (line_width / 2.0 + 0.5 - (px - along * dx).hypot(py - along * dy)).clamp(0.0, 1.0)
    }

    const LINE_WIDTHS: [f64; 6] = [0.01, 1.0, 1.5, 2.0, 40.0, 256.0];

    const SEGMENTS: [[[f32; 2]; 2]; 14] = [
        [[128.0, 128.0], [128.0, 128.0]],
        [[12.0, 12.0], [244.0, 244.0]],
        [[244.0, 13.3], [12.0, 201.7]],
        [[12.0, 30.2], [244.0, 30.9]],
        [[12.0, 31.2], [244.0, 32.9]],
        [[77.1, 12.0], [77.4, 244.0]],
        [[100.0, 100.0], [100.3, 99.9]],
        [[100.9, 100.9], [101.6, 101.2]],
        [[60.2, 100.5], [61.7, 101.0]],
        [[100.0, 100.0], [100.0 + 1e-5, 100.0]],
        [[243.9, 243.9], [244.0, 12.0]],
        [[0.0, 0.0], [256.0, 3.0]],
        [[0.0, 0.0], [0.4, 0.1]],
        [[255.9, 255.2], [256.0, 256.0]],
    ];

    #[test]
    fn segments_match_the_definition() {
        for [a, b] in SEGMENTS {
            for line_width in LINE_WIDTHS {
                let canvas = drawn(&[a, b], line_width);
                for (index, &pixel) in canvas.iter().enumerate() {
                    let want = expected(index % SIDE, index / SIDE, a, b, line_width);
                    assert!((f64::from(pixel) - want).abs() < 1e-4, "{a:?} {b:?} {line_width} {index} {pixel} {want}");
                }
            }
        }
    }

    #[test]
    fn every_instruction_set_gives_the_same_bits() {
        let points = SEGMENTS.as_flattened();
        for line_width in LINE_WIDTHS {
            let fallback = drawn_at(Level::fallback(), points, line_width);
            assert_eq!(drawn(points, line_width), fallback, "line width {line_width}");
            assert_eq!(drawn_at(Level::baseline(), points, line_width), fallback, "line width {line_width}");
        }
    }

    #[test]
    fn many_short_segments_are_the_largest_of_each() {
        let points: Vec<[f32; 2]> =
            (0..61).map(|index| [20.0 + index as f32 * 0.7, 60.0 + (index as f32 * 0.9).sin() * 5.0]).collect();
        let mut largest = vec![0.0_f32; PIXELS];
        for pair in points.windows(2) {
            for (pixel, coverage) in largest.iter_mut().zip(drawn(pair, 1.5)) {
                *pixel = pixel.max(coverage);
            }
        }
        assert_eq!(drawn(&points, 1.5), largest);
    }

    #[test]
    fn a_stroke_of_one_point_is_a_dot() {
        assert_eq!(drawn(&[[20.5, 30.5]], 2.0), drawn(&[[20.5, 30.5], [20.5, 30.5]], 2.0));
        assert_eq!(drawn(&[[20.5, 30.5]], 2.0)[30 * SIDE + 20], 1.0);
    }

    #[test]
    fn no_points_leave_the_canvas_blank() {
        assert!(drawn(&[], 2.0).iter().all(|&pixel| pixel == 0.0));
    }

    #[test]
    fn line_widths_have_limits() {
        for bad in [0.0, -1.0, f64::NAN, f64::INFINITY, 256.1] {
            assert_eq!(LineWidth::new(bad), None, "{bad}");
        }
    }
}
