//! The picture as `penpal_fast.reference` defines it, in float64, one pixel at a time.

use penpal_core::{INNER, SIDE};

pub type Stroke = Vec<[f64; 2]>;

/// The row's strokes on the canvas.
pub fn fit(row: &[Stroke]) -> Vec<Stroke> {
    let bounds = |axis: usize| {
        let values = row.iter().flatten().map(|point| point[axis]);
        (values.clone().fold(f64::INFINITY, f64::min), values.fold(f64::NEG_INFINITY, f64::max))
    };
    let ((left, right), (top, bottom)) = (bounds(0), bounds(1));
    let (width, height) = (right - left, bottom - top);
    let longer_side = if width.max(height) > 0.0 { width.max(height) } else { 1.0 };
    let margin = |length: f64| (SIDE as f64 - length / longer_side * INNER as f64) / 2.0;
    let (across, down) = (margin(width), margin(height));
    let placed = |value: f64, low: f64, margin: f64| (value - low) / longer_side * INNER as f64 + margin;
    let stroke = |stroke: &Stroke| {
        stroke.iter().map(|&[x, y]| [placed(x, left, across), placed(y, top, down)]).collect::<Stroke>()
    };
    row.iter().map(stroke).collect()
}

/// Coverage of one pixel by fitted strokes.
pub fn coverage(fitted: &[Stroke], line_width: f64, row: usize, column: usize) -> f64 {
    let centre = [column as f64 + 0.5, row as f64 + 0.5];
    let mut nearest = f64::INFINITY;
    for stroke in fitted {
        if let [dot] = stroke[..] {
            nearest = nearest.min(distance(centre, dot, dot));
        }
        for ends in stroke.windows(2) {
            nearest = nearest.min(distance(centre, ends[0], ends[1]));
        }
    }
    (line_width / 2.0 + 0.5 - nearest).clamp(0.0, 1.0)
}

fn distance(point: [f64; 2], start: [f64; 2], end: [f64; 2]) -> f64 {
    let (right, down) = (point[0] - start[0], point[1] - start[1]);
    let (across, along) = (end[0] - start[0], end[1] - start[1]);
    let length_squared = across * across + along * along;
    let share = if length_squared > 0.0 { (right * across + down * along) / length_squared } else { 0.0 };
    let share = share.clamp(0.0, 1.0);
    (right - share * across).hypot(down - share * along)
}
