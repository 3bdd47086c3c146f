//! The segments between neighbouring points, prepared eight at a time.

use fearless_simd::{Simd, f32x8, i32x8, mask32x8, prelude::*};

use super::line::{DOT_LENGTH_SQUARED, Line};
use crate::canvas::{CanvasPoints, LANES, PIXELS, SIDE};

/// Rows of the window of pixels that a short segment touches. It is [`LANES`] columns wide. At the default line width
/// it holds 96 % of the segments of a text line, which are 0.9 px long on average.
pub const SHORT_ROWS: usize = 4;

/// Rows of the window for a taller segment. It holds 90 % of the segments that the short one does not hold.
pub const TALL_ROWS: usize = 8;

/// Windows begin at multiples of this many columns. A row just written for the previous segment is then read from the
/// same address, without a stall.
const WINDOW_STEP: usize = 4;

/// Marks the index of a tall window's first pixel.
const TALL: i32 = PIXELS as i32;

/// In place of the index of a window's first pixel: the segment needs more than a window.
const LONG: i32 = -1;

/// In place of the index: there is no segment, as between the end of a stroke and the next stroke.
const NONE: i32 = -2;

/// Half the length and the direction of segments from `delta`, end minus start.
#[inline(always)]
fn half_length_and_direction<S: Simd>(simd: S, delta: [f32x8<S>; 2]) -> (f32x8<S>, [f32x8<S>; 2]) {
    let splat = |value| f32x8::splat(simd, value);
    let squared = delta[0] * delta[0] + delta[1] * delta[1];
    let drawn = squared.simd_gt(splat(DOT_LENGTH_SQUARED));
    let inverse = splat(1.0) / squared.sqrt();
    let or_dot = |value, dot| drawn.select(value, splat(dot));
    let direction = [or_dot(delta[0] * inverse, 1.0), or_dot(delta[1] * inverse, 0.0)];
    (or_dot(squared * inverse * splat(0.5), 0.0), direction)
}

/// How a segment is drawn.
pub enum Segment {
    /// Not at all.
    None,
    /// Within a window of [`SHORT_ROWS`]: the index of the window's first pixel.
    Short(usize),
    /// Within a window of [`TALL_ROWS`].
    Tall(usize),
    /// Pixel by pixel: it needs more than a window.
    Long,
}

/// `LANES` consecutive segments.
#[derive(Clone, Debug, Default)]
pub struct Group {
    along: [f32; LANES],
    beside: [f32; LANES],
    direction: [[f32; LANES]; 2],
    half_length: [f32; LANES],
    /// Index of a window's first pixel, plus [`TALL`] for a tall one; or [`LONG`] or [`NONE`].
    window: [i32; LANES],
}

/// The segments from each point of a row to the next, including the gaps between strokes.
#[derive(Clone, Debug, Default)]
pub struct Segments(Vec<Group>);

impl Segments {
    /// Replaces all segments by the segments of `points`, drawn to a distance of `reach`.
    #[inline(always)]
    pub fn prepare<S: Simd>(&mut self, simd: S, points: &CanvasPoints, reach: f32) {
        let count = points.x.len().saturating_sub(1);
        self.0.resize_with(count.div_ceil(LANES), Group::default);
        for (group, first) in self.0.iter_mut().zip((0..).step_by(LANES)) {
            let ends = first..first + LANES + 1;
            *group = match (points.x.get(ends.clone()), points.y.get(ends)) {
                (Some(x), Some(y)) => Group::new(simd, x, y, reach),
                _ => Group::new(simd, &padded(&points.x, first), &padded(&points.y, first), reach),
            };
        }
        (count..self.0.len() * LANES).for_each(|segment| self.leave_out(segment));
    }

    /// Marks a segment as not drawn.
    #[inline(always)]
    pub fn leave_out(&mut self, segment: usize) {
        if let Some(group) = self.0.get_mut(segment / LANES) {
            group.window[segment % LANES] = NONE;
        }
    }

    /// The segments in order, in groups of [`LANES`].
    pub fn groups(&self) -> &[Group] {
        &self.0
    }
}

/// `LANES + 1` values from index `first` on. The last value is repeated past the end.
#[cold]
fn padded(values: &[f32], first: usize) -> [f32; LANES + 1] {
    std::array::from_fn(|index| values[(first + index).min(values.len() - 1)])
}

impl Group {
    #[inline(always)]
    fn new<S: Simd>(simd: S, x: &[f32], y: &[f32], reach: f32) -> Self {
        let splat = |value| f32x8::splat(simd, value);
        // Separate calls: through an array's map they would not be inlined, and would lose the vector instructions.
        let across = Axis::new(simd, x, reach, WINDOW_STEP, LANES);
        let down = Axis::new(simd, y, reach, 1, SHORT_ROWS);
        let far_down = Axis::new(simd, y, reach, 1, TALL_ROWS);
        let (half_length, [right, below]) = half_length_and_direction(simd, [across.delta, down.delta]);
        let top = down.fits.select(down.first, far_down.first);
        let centre = [across.first - across.start + splat(0.5), top - down.start + splat(0.5)];
        let place: i32x8<S> = (top * splat(SIDE as f32) + across.first).to_int();
        let number = |value| i32x8::splat(simd, value);
        let window = down.fits.select(place, place + number(TALL));
        let fits: mask32x8<S> = across.fits & (down.fits | far_down.fits);
        let window = fits.select(window, number(LONG));
        Group {
            along: (centre[0] * right + centre[1] * below - half_length).into(),
            beside: (centre[0] * below - centre[1] * right).into(),
            direction: [right.into(), below.into()],
            half_length: half_length.into(),
            window: window.into(),
        }
    }

    /// How the segment of a lane is drawn.
    #[inline(always)]
    pub fn segment(&self, lane: usize) -> Segment {
        match self.window[lane] {
            NONE => Segment::None,
            LONG => Segment::Long,
            window if window < TALL => Segment::Short(window as usize),
            window => Segment::Tall((window - TALL) as usize),
        }
    }

    /// The segment of a lane, relative to the first pixel of its window.
    #[inline(always)]
    pub fn line(&self, lane: usize) -> Line {
        Line {
            along: self.along[lane],
            beside: self.beside[lane],
            direction: [self.direction[0][lane], self.direction[1][lane]],
            half_length: self.half_length[lane],
        }
    }
}

/// One axis of `LANES` segments.
struct Axis<S: Simd> {
    start: f32x8<S>,
    delta: f32x8<S>,
    /// First pixel of the window.
    first: f32x8<S>,
    /// Whether the window holds all pixels that the segment reaches.
    fits: mask32x8<S>,
}

impl<S: Simd> Axis<S> {
    /// Windows begin at multiples of `step` and have `length` pixels.
    #[inline(always)]
    fn new(simd: S, values: &[f32], reach: f32, step: usize, length: usize) -> Self {
        let splat = |value| f32x8::splat(simd, value);
        let start = f32x8::from_slice(simd, &values[..LANES]);
        let end = f32x8::from_slice(simd, &values[1..][..LANES]);
        // A pixel p is reached if its centre p + 0.5 is.
        let low = (start.min(end) - splat(reach - 0.5)).max(splat(0.0));
        let high = start.max(end) + splat(reach - 0.5);
        let last = splat((SIDE - length) as f32);
        let first = ((low * splat(1.0 / step as f32)).floor() * splat(step as f32)).min(last);
        let fits = high.simd_lt(first + splat(length as f32)) | first.simd_ge(last);
        Axis { start, delta: end - start, first, fits }
    }
}
