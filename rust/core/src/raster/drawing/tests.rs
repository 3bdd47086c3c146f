use fearless_simd::{Level, dispatch};

use super::*;
use crate::canvas::{PIXELS, SIDE};

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
        assert!(raster.distances.are_beyond(width.reach()));
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
