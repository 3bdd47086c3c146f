//! The path of a pen: what the reader sees of a row, in units of the writing's own height.
//!
//! `penpal_fast.path_reference` is the specification, in plain Python. All arithmetic is float64 in the same order, so
//! both give the same numbers. `writing_frame` finds the line that is written on and the height of the writing, `pieces`
//! thins the strokes and cuts them where they jump, and [`Path::trace`] divides them into equal steps.

mod pieces;
mod units;
mod vertex;
mod writing_frame;

use pieces::Pieces;
use units::{HIGHEST, LARGE, REACH, SMALLER, STEP};
use vertex::{Vertex, clipped};
use writing_frame::{WritingFrame, WritingFrameFinder};

use crate::limits::{MAX_KEPT_POINTS, MAX_SAMPLES};
use crate::row_error::RowError;
use crate::strokes::Strokes;

/// Numbers of a sample: dx, dy, lift, place above the line, distance behind the front.
pub const CHANNELS: usize = 5;

/// Where a sample begins.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Place {
    /// The stroke, counted from 0 over the whole row.
    pub stroke: usize,
    /// The position in the stroke, in points; between two points it is fractional.
    pub position: f64,
}

/// The path of a row, and memory that is reused from row to row.
///
/// ```
/// use penpal_core::path::Path;
/// use penpal_core::{Coordinates, Offsets, Strokes};
///
/// // Two strokes downward, side by side: steps, a lift to the upper right, steps.
/// let (x, y) = ([0.0, 0.0, 0.5, 0.5], [0.0, 1.0, 0.0, 1.0]);
/// let strokes = Strokes::new(Offsets::Int32(&[0, 2, 4]), Coordinates::Float64(&x), Coordinates::Float64(&y))?;
/// let mut path = Path::default();
/// path.trace(&strokes)?;
/// let lifts: Vec<_> = path.samples().iter().filter(|sample| sample[2] == 1.0).collect();
/// assert_eq!(lifts.len(), 1);
/// assert!(lifts[0][0] > 0.0 && lifts[0][1] < 0.0);
/// # Ok::<(), penpal_core::RowError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Path {
    samples: Vec<[f32; CHANNELS]>,
    places: Vec<Place>,
    /// The points of all strokes, without repetitions.
    vertices: Vec<Vertex>,
    /// Each stroke that has points, and the end of its vertices.
    strokes: Vec<(usize, usize)>,
    frames: WritingFrameFinder,
    pieces: Pieces,
}

impl Path {
    /// The samples of the last row: dx, dy, lift, place above the line, distance behind the front.
    pub fn samples(&self) -> &[[f32; CHANNELS]] {
        &self.samples
    }

    /// Where each sample of the last row begins.
    pub fn places(&self) -> &[Place] {
        &self.places
    }

    /// Replaces the path by that of a row.
    ///
    /// # Errors
    /// [`RowError::TooLongToRead`] where there would be more than [`MAX_SAMPLES`] samples, or [`RowError::NoPoints`]
    /// where another thread has taken them away.
    pub fn trace(&mut self, strokes: &Strokes) -> Result<(), RowError> {
        let traced = self.traced(strokes);
        if self.vertices.capacity() > MAX_KEPT_POINTS || self.strokes.capacity() > MAX_KEPT_POINTS {
            let Path { samples, places, .. } = std::mem::take(self);
            *self = Path { samples, places, ..Path::default() };
        }
        traced
    }

    fn traced(&mut self, strokes: &Strokes) -> Result<(), RowError> {
        self.samples.clear();
        self.places.clear();
        self.collect(strokes);
        if self.vertices.is_empty() {
            return Err(RowError::NoPoints); // Another thread writes to the offsets.
        }
        let (rough, least) = self.frames.rough(&self.vertices);
        self.put(WritingFrame { slope: 0.0, centre: 0.0, height: rough.height });
        let scaled = WritingFrame { slope: rough.slope, centre: rough.centre / rough.height, height: 1.0 };
        let fine = self.frames.fine(&self.vertices, &self.strokes, scaled, least / rough.height);
        self.put(fine);
        self.pieces.cut(&self.vertices, &self.strokes);
        let samples = self.pieces.samples();
        if samples > MAX_SAMPLES {
            return Err(RowError::TooLongToRead { samples });
        }
        self.pieces.drop_stray_dots();
        self.walk();
        Ok(())
    }

    /// Takes the points of a row, relative to the first, but not those that repeat the one before. Very large ones are
    /// made smaller, so that no sum of two overflows.
    fn collect(&mut self, strokes: &Strokes) {
        self.vertices.clear();
        self.strokes.clear();
        let (x, y) = (strokes.x(), strokes.y());
        let span = strokes.x_extent().span().max(strokes.y_extent().span());
        let scale = if span > LARGE { SMALLER } else { 1.0 };
        let [x0, y0] = [x, y].map(|axis| axis.get(0).unwrap_or(0.0));
        for (number, points) in strokes.point_ranges().enumerate().filter(|(_, points)| !points.is_empty()) {
            let first = self.vertices.len();
            for (position, point) in points.enumerate() {
                let [x, y] = [(x, x0), (y, y0)].map(|(axis, start)| scale * (axis.get(point).unwrap_or(start) - start));
                let repeats = self.vertices[first..].last().is_some_and(|last| (last.x, last.y) == (x, y));
                if !repeats {
                    self.vertices.push(Vertex { x, y, position: position as f64 });
                }
            }
            self.strokes.push((number, self.vertices.len()));
        }
    }

    /// Measures all vertices in a frame.
    fn put(&mut self, frame: WritingFrame) {
        for vertex in &mut self.vertices {
            *vertex = frame.put(*vertex);
        }
    }

    /// Makes the samples out of the pieces.
    fn walk(&mut self) {
        let Path { samples, places, pieces, .. } = self;
        let mut front = f64::NEG_INFINITY;
        let mut step = |start: Vertex, end: Vertex, lift: bool, stroke: usize| {
            let (x, y) = ((start.x + end.x) / 2.0, (start.y + end.y) / 2.0);
            front = front.min(x + REACH).max(x);
            let way = [end.x - start.x, end.y - start.y];
            let [dx, dy] = way.map(|way| if lift { clipped(way, REACH) } else { way / STEP });
            let behind = (x - front) / REACH;
            samples.push([dx, dy, f64::from(u8::from(lift)), clipped(y, HIGHEST), behind].map(|value| value as f32));
            places.push(Place { stroke, position: start.position });
        };
        let mut before: Option<(usize, Vertex)> = None;
        for piece in pieces.iter() {
            if let Some((stroke, last)) = before {
                step(last, piece.first(), true, stroke);
            }
            piece.divide(|start, end| step(start, end, false, piece.stroke));
            before = Some((piece.stroke, piece.last()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strokes::Offsets;

    type Row = Vec<Vec<(f64, f64)>>;

    /// Loops with a dot above each third, about 1 high.
    fn written(letters: usize) -> Row {
        let mut row = Row::new();
        for letter in 0..letters {
            let turn = (0..=24).map(|point| f64::from(point) * std::f64::consts::TAU / 24.0);
            let x = |angle: f64| letter as f64 + 0.3 * angle.sin() + 0.05 * angle;
            row.push(turn.map(|angle| (x(angle), 0.5 * angle.cos())).collect());
            if letter % 3 == 0 {
                row.push(vec![(letter as f64 + 0.1, -0.8)]);
            }
        }
        row
    }

    fn traced<'a>(row: &Row, path: &'a mut Path) -> Result<&'a Path, RowError> {
        let mut offsets = vec![0];
        for stroke in row {
            offsets.push(offsets[offsets.len() - 1] + stroke.len() as i64);
        }
        let (x, y): (Vec<_>, Vec<_>) = row.iter().flatten().copied().unzip();
        path.trace(&Strokes::new(Offsets::Int64(&offsets), x.as_slice().into(), y.as_slice().into())?)?;
        Ok(path)
    }

    fn mapped(row: &Row, map: impl Fn(f64, f64) -> (f64, f64)) -> Row {
        row.iter().map(|stroke| stroke.iter().map(|&(x, y)| map(x, y)).collect()).collect()
    }

    fn assert_close(found: &[[f32; CHANNELS]], expected: &[[f32; CHANNELS]], tolerance: f32) {
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.as_flattened().iter().zip(expected.as_flattened()) {
            assert!((found - expected).abs() <= tolerance, "{found} is not {expected}");
        }
    }

    #[test]
    fn place_and_scale_do_not_matter() {
        let (mut path, mut other) = (Path::default(), Path::default());
        let expected = traced(&written(12), &mut path).unwrap();
        for scale in [1e-300, 1e-3, 7.0, 1e280] {
            let row = mapped(&written(12), |x, y| (scale * (x - 3.0), scale * (y + 50.0)));
            assert_close(traced(&row, &mut other).unwrap().samples(), expected.samples(), 1e-5);
        }
    }

    #[test]
    fn one_far_point_is_a_lift_and_back() {
        let (mut path, mut other) = (Path::default(), Path::default());
        let expected = traced(&written(12), &mut path).unwrap().samples().to_vec();
        for far in [(1e3, 0.0), (-1e6, 1e6), (1e300, -1e300)] {
            let mut row = written(12);
            row[4].insert(10, far);
            let found = traced(&row, &mut other).unwrap().samples();
            assert!(found.len().abs_diff(expected.len()) < 8);
            assert_close(&found[..30], &expected[..30], 0.02);
        }
    }

    #[test]
    fn a_far_first_point_does_not_move_the_rest() {
        let (mut path, mut other) = (Path::default(), Path::default());
        let expected = traced(&written(12), &mut path).unwrap().samples();
        for far in [(20.0, 0.0), (-1e3, 1e3), (1e9, -1e9)] {
            let mut row = written(12);
            row.insert(0, vec![far]);
            assert_close(traced(&row, &mut other).unwrap().samples(), expected, 0.02);
        }
    }

    #[test]
    fn dots_far_from_all_other_ink_are_left_out() {
        let (mut path, mut other) = (Path::default(), Path::default());
        let expected = traced(&written(12), &mut path).unwrap().samples();
        for (place, is_left_out) in [((13.0, 0.0), false), ((30.0, 0.0), true), ((5.0, -9.0), true)] {
            let mut row = written(12);
            row.insert(6, vec![place]);
            row.push(vec![place, (place.0 + 0.1, place.1)]);
            let found = traced(&row, &mut other).unwrap();
            assert_eq!(found.samples().len() == expected.len(), is_left_out, "{place:?}");
            assert!(found.places().iter().all(|place| !is_left_out || ![6, row.len() - 1].contains(&place.stroke)));
        }
        let dots: Row = (0..4).map(|dot| vec![(f64::from(dot), 0.0)]).collect();
        assert_eq!(traced(&dots, &mut path).unwrap().samples().len(), 4 * 2 + 3);
    }

    #[test]
    fn odd_rows_have_finite_paths() {
        let far = 8e307;
        let rows: [Row; 9] = [
            vec![vec![(3.0, 4.0)]],
            vec![vec![(0.0, 0.0)], vec![(0.0, 0.0)]],
            vec![vec![(0.0, 0.0), (0.0, 0.0)]],
            vec![vec![(0.0, 0.0), (5.0, 0.0)]],
            vec![vec![(0.0, 0.0), (0.0, 5.0)]],
            vec![vec![], vec![(1.0, 1.0)], vec![]],
            vec![vec![(0.0, 0.0), (5e-324, 5e-324)]],
            vec![vec![(-far, 0.0), (far, 1.0)], vec![(0.0, -far)]],
            vec![vec![(f64::MAX, f64::MAX), (0.0, 0.0), (f64::MAX, 0.0)], vec![(f64::MAX, 5e-324); 3]],
        ];
        let mut path = Path::default();
        for row in rows {
            let found = traced(&row, &mut path).unwrap();
            assert!(path_is_small(found));
            assert!(found.samples().len() >= 2, "{row:?}");
            assert_eq!(found.samples().len(), found.places().len());
            assert!(found.samples().as_flattened().iter().all(|value| value.is_finite()), "{row:?}");
        }
    }

    #[test]
    fn places_lead_back_to_the_points() {
        let row = written(12);
        let mut path = Path::default();
        let found = traced(&row, &mut path).unwrap();
        assert!(found.places().is_sorted_by_key(|place| place.stroke));
        assert_eq!(found.places().last().map(|place| place.stroke), Some(row.len() - 1));
        for (sample, place) in found.samples().iter().zip(found.places()) {
            let last = (row[place.stroke].len() - 1) as f64;
            assert!((0.0..=last).contains(&place.position));
            assert!(sample[2] == 0.0 || place.position == last);
        }
    }

    #[test]
    fn what_is_too_long_is_a_reason() {
        let mut path = Path::default();
        let row = vec![(0..1000).flat_map(|x| [0.0, 1.0].map(|y| (f64::from(x) / 1000.0, y))).collect()];
        assert!(matches!(traced(&row, &mut path), Err(RowError::TooLongToRead { samples: 5000.. })));
        assert_eq!(traced(&written(3), &mut path).unwrap().samples().len(), path.places().len());
    }

    #[test]
    fn a_million_points_or_strokes_end() {
        let noise = |seed: usize| (seed.wrapping_mul(0x9E37_79B9) % 10_007) as f64;
        let points: Vec<_> = (0..1 << 20).map(|point| (noise(point), noise(point + 7))).collect();
        let mut path = Path::default();
        assert!(matches!(traced(&vec![points.clone()], &mut path), Err(RowError::TooLongToRead { .. })));
        assert!(path_is_small(&path));
        let strokes = points.into_iter().map(|point| vec![point]).collect();
        assert!(matches!(traced(&strokes, &mut path), Err(RowError::TooLongToRead { .. })));
        assert!(path_is_small(&path));
        assert!(traced(&vec![vec![(1.0, 2.0); 1 << 20]], &mut path).is_ok());
        assert!(path_is_small(&path));
    }

    /// Whether no memory of a huge row is kept.
    fn path_is_small(path: &Path) -> bool {
        path.vertices.capacity().max(path.strokes.capacity()) <= MAX_KEPT_POINTS
    }

    #[test]
    fn coordinates_at_the_ends_of_float64_have_the_path_of_small_ones() {
        let (mut path, mut other) = (Path::default(), Path::default());
        let expected = traced(&written(12), &mut path).unwrap();
        let largest = 2_f64.powi(1020);
        let row = mapped(&written(12), |x, y| (largest * (x - 6.0), largest * y));
        assert_close(traced(&row, &mut other).unwrap().samples(), expected.samples(), 1e-5);
    }
}
