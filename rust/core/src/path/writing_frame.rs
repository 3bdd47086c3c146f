//! The line that a row is written on, and the height of the writing.

use std::cmp::Ordering;

use super::units::REACH;
use super::vertex::{Vertex, clipped};

/// Standard deviations of the ink about its line in a height, which makes it about that of an ascender.
const DEVIATIONS: f64 = 2.6;

/// The same in the distance from the line that a quarter of the points exceed.
const ROUGH_DEVIATIONS: f64 = 2.25;

/// Largest slope that a line is taken to have; more is a steep letter.
const STEEPEST: f64 = 0.3;

/// Standard deviation of x, in heights, at which half of the slope is believed: in a short word it is chance.
const SHORTEST: f64 = 1.0;

/// Least height, in the distance between the middles of the left and right thirds: that of a line of 150 letters.
const FLATTEST: f64 = 1.0 / 64.0;

/// Coordinates are clipped to this many rough heights, so that no square overflows. They are relative to the first
/// point, which may be far from the rest.
const FARTHEST: f64 = 1e12;

/// The line y = slope * x + centre, and the height of the writing on it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WritingFrame {
    pub slope: f64,
    pub centre: f64,
    pub height: f64,
}

impl WritingFrame {
    /// Measures a vertex; x keeps its place, since a slope is taken away by a shear.
    #[inline(always)]
    pub fn put(self, vertex: Vertex) -> Vertex {
        let x = vertex.x / self.height;
        let y = (vertex.y - self.slope * vertex.x - self.centre) / self.height;
        Vertex { x: clipped(x, FARTHEST), y: clipped(y, FARTHEST), position: vertex.position }
    }
}

/// Finds frames, with memory that is reused from row to row.
#[derive(Clone, Debug, Default)]
pub struct WritingFrameFinder {
    points: Vec<(f64, f64)>,
    values: Vec<f64>,
    segments: Vec<Segment>,
}

/// Ink between two points: twice its middle, its way and its length.
#[derive(Clone, Copy, Debug)]
struct Segment {
    x: f64,
    y: f64,
    dx: f64,
    dy: f64,
    length: f64,
}

impl WritingFrameFinder {
    /// Estimates the frame by medians and a quartile, which one far point cannot move, and the least height that is
    /// believed.
    ///
    /// The slope is that of Tukey's resistant line: between the medians of the left and the right third of the points.
    pub fn rough(&mut self, vertices: &[Vertex]) -> (WritingFrame, f64) {
        // -0.0 + 0.0 is 0.0, so that the order of bits is that of numbers.
        self.points.clear();
        self.points.extend(vertices.iter().map(|vertex| (vertex.x + 0.0, vertex.y + 0.0)));
        let (points, values) = (&mut self.points, &mut self.values);
        let third = (points.len() / 3).max(1);
        let rest = points.len() - third;
        if rest > 0 {
            points.select_nth_unstable_by(third - 1, in_reading_order);
            if rest > third {
                points[third..].select_nth_unstable_by(rest - third, in_reading_order);
            }
        }
        let mut middle = |third: &[(f64, f64)], axis: fn(&(f64, f64)) -> f64| {
            values.clear();
            values.extend(third.iter().map(axis));
            median(values)
        };
        let (left, right) = (&points[..third], &points[rest..]);
        let across = middle(right, |point| point.0) - middle(left, |point| point.0);
        let down = middle(right, |point| point.1) - middle(left, |point| point.1);
        let slope = if across > 0.0 { clipped(down / across, STEEPEST) } else { 0.0 };
        values.clear();
        values.extend(points.iter().map(|(x, y)| y - slope * x));
        let centre = median(values);
        values.iter_mut().for_each(|value| *value = (*value - centre).abs());
        let quartile = values.len() * 3 / 4;
        let (_, &mut quartile, above) = values.select_nth_unstable_by(quartile, f64::total_cmp);
        let farthest = above.iter().fold(quartile, |farthest, &value| farthest.max(value));
        let least = across * FLATTEST;
        let height = (ROUGH_DEVIATIONS * quartile).max(least);
        let height = [height, farthest].into_iter().find(|&height| height != 0.0).unwrap_or(1.0);
        (WritingFrame { slope, centre, height }, least)
    }

    /// Estimates the frame from the ink near the rough line, each segment counting by its length, so that it does not
    /// depend on how a stroke is divided. `strokes`, each with the end of its vertices, are in rough heights.
    ///
    /// Without ink, as in a row of dots, the rough centre and height stay.
    pub fn fine(
        &mut self,
        vertices: &[Vertex],
        strokes: &[(usize, usize)],
        rough: WritingFrame,
        least: f64,
    ) -> WritingFrame {
        self.collect(vertices, strokes, rough);
        let segments = &self.segments;
        let total: f64 = segments.iter().fold(0.0, |sum, segment| sum + segment.length);
        if total == 0.0 {
            return WritingFrame { slope: 0.0, centre: rough.centre, height: 1.0 };
        }
        let (mut mean_x, mut mean_y) = (0.0, 0.0);
        for segment in segments {
            mean_x += segment.length * segment.x / 2.0;
            mean_y += segment.length * segment.y / 2.0;
        }
        let (mean_x, mean_y) = (mean_x / total, mean_y / total);
        // Moments of a segment are those of the points spread evenly along it.
        let (mut xx, mut xy, mut yy) = (0.0, 0.0, 0.0);
        for &Segment { x, y, dx, dy, length } in segments {
            let (x, y) = (x / 2.0 - mean_x, y / 2.0 - mean_y);
            xx += length * (x * x + dx * dx / 12.0);
            xy += length * (x * y + dx * dy / 12.0);
            yy += length * (y * y + dy * dy / 12.0);
        }
        let (xx, xy, yy) = (xx / total, xy / total, yy / total);
        let about_line = if xx > 0.0 { yy - xy * xy / xx } else { yy };
        let doubt = SHORTEST * DEVIATIONS * (SHORTEST * DEVIATIONS) * about_line.max(0.0);
        let slope = if xx > 0.0 { clipped(xy / (xx + doubt), STEEPEST) } else { 0.0 };
        let variance = yy - 2.0 * slope * xy + slope * slope * xx;
        let height = (DEVIATIONS * variance.max(0.0).sqrt()).max(least);
        WritingFrame { slope, centre: mean_y - slope * mean_x, height: if height == 0.0 { 1.0 } else { height } }
    }

    /// Takes the segments that are ink near the line.
    fn collect(&mut self, vertices: &[Vertex], strokes: &[(usize, usize)], rough: WritingFrame) {
        self.segments.clear();
        let near = |vertex: Vertex| rough.put(vertex).y.abs() <= REACH;
        let mut first = 0;
        for &(_, end) in strokes {
            let stroke = &vertices[first..end];
            let mut start_is_near = near(stroke[0]);
            for pair in stroke.windows(2) {
                let (start, end) = (pair[0], pair[1]);
                let end_is_near = near(end);
                let length = start.distance(end);
                if length <= REACH && start_is_near && end_is_near {
                    let (dx, dy) = (end.x - start.x, end.y - start.y);
                    self.segments.push(Segment { x: start.x + end.x, y: start.y + end.y, dx, dy, length });
                }
                start_is_near = end_is_near;
            }
            first = end;
        }
    }
}

/// By x, then by y.
fn in_reading_order(one: &(f64, f64), other: &(f64, f64)) -> Ordering {
    one.0.total_cmp(&other.0).then_with(|| one.1.total_cmp(&other.1))
}

/// The middle value, or the mean of the two in the middle; there is at least one value, and they are reordered.
fn median(values: &mut [f64]) -> f64 {
    let middle = values.len() / 2;
    let odd = values.len() % 2 == 1;
    let (below, &mut upper, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    let lower = below.iter().fold(f64::NEG_INFINITY, |most, &value| most.max(value));
    if odd { upper } else { (lower + upper) / 2.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_of_even_and_odd_counts() {
        assert_eq!(median(&mut [3.0]), 3.0);
        assert_eq!(median(&mut [4.0, 1.0]), 2.5);
        assert_eq!(median(&mut [9.0, 1.0, 5.0]), 5.0);
        assert_eq!(median(&mut [9.0, 1.0, 5.0, 6.0]), 5.5);
    }
}
