//! A row with the memory that it lies in: offsets, which may be broken, and coordinates.

use libfuzzer_sys::arbitrary::{Result, Unstructured};
use penpal_core::{Coordinates, Offsets, RowError, Strokes};

use crate::numbers::{number, tame_number};

const MAX_STROKES: usize = 6;
const MAX_POINTS: usize = 7;

/// Coordinates of one axis.
enum Axis {
    Float32(Vec<f32>),
    Float64(Vec<f64>),
}

impl Axis {
    fn push(&mut self, value: f64) {
        match self {
            Axis::Float32(values) => values.push(value as f32),
            Axis::Float64(values) => values.push(value),
        }
    }

    fn coordinates(&self) -> Coordinates<'_> {
        match self {
            Axis::Float32(values) => Coordinates::Float32(values),
            Axis::Float64(values) => Coordinates::Float64(values),
        }
    }

    /// The coordinates as float64, as the picture's definition has them.
    fn widened(&self) -> Vec<f64> {
        match self {
            Axis::Float32(values) => values.iter().map(|&value| value.into()).collect(),
            Axis::Float64(values) => values.clone(),
        }
    }
}

/// A row and the memory that it lies in.
pub struct Ink {
    offsets: Vec<i32>,
    axes: [Axis; 2],
}

impl Ink {
    /// A row with anything at all.
    pub fn hostile(input: &mut Unstructured) -> Result<Self> {
        let kinds: u8 = input.arbitrary()?;
        let axis = |kind| if kind % 2 == 0 { Axis::Float32(Vec::new()) } else { Axis::Float64(Vec::new()) };
        let shape: u8 = input.arbitrary()?;
        let strokes = usize::from(shape & 15) % (MAX_STROKES + 1);
        let lies = shape >= 0xf0;
        let mut offsets = vec![if lies { input.arbitrary::<i8>()?.into() } else { 0 }];
        let mut points = 0;
        for _ in 0..strokes {
            let count: u8 = input.arbitrary()?;
            points += i32::from(count) % (MAX_POINTS as i32 + 1);
            offsets.push(if lies { i32::from(count as i8) } else { points });
        }
        Ink { offsets, axes: [axis(kinds), axis(kinds >> 4)] }.with_points(points, || number(input))
    }

    /// A row that can be drawn.
    pub fn tame(input: &mut Unstructured) -> Result<Self> {
        let mut offsets = vec![0];
        let mut points = 0;
        for _ in 0..1 + input.choose_index(MAX_STROKES)? {
            points += 1 + input.choose_index(MAX_POINTS)? as i32;
            offsets.push(points);
        }
        Ink { offsets, axes: [(); 2].map(|()| Axis::Float64(Vec::new())) }.with_points(points, || tame_number(input))
    }

    fn with_points(mut self, count: i32, mut number: impl FnMut() -> Result<f64>) -> Result<Self> {
        for _ in 0..count {
            for axis in &mut self.axes {
                axis.push(number()?);
            }
        }
        Ok(self)
    }

    /// The row as the core checks it.
    pub fn strokes(&self) -> std::result::Result<Strokes<'_>, RowError> {
        Strokes::new(Offsets::Int32(&self.offsets), self.axes[0].coordinates(), self.axes[1].coordinates())
    }

    /// The row's strokes as the definition has them, or the reason that there are none.
    pub fn plain(&self) -> std::result::Result<Vec<Vec<[f64; 2]>>, &'static str> {
        let [x, y] = [&self.axes[0], &self.axes[1]].map(Axis::widened);
        let mut strokes = Vec::new();
        if self.offsets.len() == 1 {
            return Err("no points");
        }
        for ends in self.offsets.windows(2) {
            if ends[0] < 0 || ends[1] < ends[0] {
                return Err("broken offsets");
            }
            strokes.push(ends[0] as usize..ends[1] as usize);
        }
        if strokes.last().is_some_and(|stroke| stroke.end > x.len()) {
            return Err("broken offsets");
        }
        let row: Vec<Vec<[f64; 2]>> =
            strokes.into_iter().map(|stroke| stroke.map(|point| [x[point], y[point]]).collect()).collect();
        for axis in 0..2 {
            let values: Vec<f64> = row.iter().flatten().map(|point| point[axis]).collect();
            if values.is_empty() {
                return Err("no points");
            }
            if !values.iter().all(|value| value.is_finite()) {
                return Err("non-finite coordinate");
            }
            let low = values.iter().copied().fold(f64::INFINITY, f64::min);
            let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            if !(high - low).is_finite() {
                return Err("span overflow");
            }
        }
        Ok(row)
    }
}
