//! A row as the core sees it, owned: offsets and coordinates of any type, true or not.

use penpal_core::{Coordinates, Offsets, RowError, Strokes};

use crate::bytes::Bytes;

const MOST_STROKES: usize = 6;
const MOST_POINTS: usize = 7;

/// Coordinates of one axis, in the type that they are given in.
pub struct Axes {
    kind: usize,
    int8: Vec<i8>,
    int16: Vec<i16>,
    int32: Vec<i32>,
    int64: Vec<i64>,
    uint8: Vec<u8>,
    uint64: Vec<u64>,
    float32: Vec<f32>,
    float64: Vec<f64>,
}

const KINDS: usize = 8;

impl Axes {
    fn new() -> Self {
        Axes {
            kind: 0,
            int8: Vec::new(),
            int16: Vec::new(),
            int32: Vec::new(),
            int64: Vec::new(),
            uint8: Vec::new(),
            uint64: Vec::new(),
            float32: Vec::new(),
            float64: Vec::new(),
        }
    }

    fn clear(&mut self, kind: usize) {
        self.kind = kind;
        self.int8.clear();
        self.int16.clear();
        self.int32.clear();
        self.int64.clear();
        self.uint8.clear();
        self.uint64.clear();
        self.float32.clear();
        self.float64.clear();
    }

    fn push(&mut self, value: f64) {
        match self.kind {
            0 => self.int8.push(value as i8),
            1 => self.int16.push(value as i16),
            2 => self.int32.push(value as i32),
            3 => self.int64.push(value as i64),
            4 => self.uint8.push(value as u8),
            5 => self.uint64.push(value as u64),
            6 => self.float32.push(value as f32),
            _ => self.float64.push(value),
        }
    }

    fn coordinates(&self) -> Coordinates<'_> {
        match self.kind {
            0 => Coordinates::Int8(&self.int8),
            1 => Coordinates::Int16(&self.int16),
            2 => Coordinates::Int32(&self.int32),
            3 => Coordinates::Int64(&self.int64),
            4 => Coordinates::UInt8(&self.uint8),
            5 => Coordinates::UInt64(&self.uint64),
            6 => Coordinates::Float32(&self.float32),
            _ => Coordinates::Float64(&self.float64),
        }
    }

    /// The coordinates as the picture's definition has them.
    fn widened(&self) -> Vec<f64> {
        let values = self.coordinates();
        (0..values.len()).map(|index| values.get(index).unwrap_or(f64::NAN)).collect()
    }
}

/// A row and the memory that it lies in.
pub struct Ink {
    offsets: Vec<i32>,
    axes: [Axes; 2],
}

impl Default for Ink {
    fn default() -> Self {
        Ink { offsets: Vec::new(), axes: [Axes::new(), Axes::new()] }
    }
}

impl Ink {
    /// Fills in a row with anything at all.
    pub fn read_hostile(&mut self, bytes: &mut Bytes) {
        let kinds = bytes.byte();
        self.restart([usize::from(kinds) % KINDS, usize::from(kinds >> 4) % KINDS]);
        let shape = bytes.byte();
        let strokes = usize::from(shape & 15) % (MOST_STROKES + 1);
        let lies = shape >= 0xf0;
        if lies {
            self.offsets[0] = i32::from(bytes.byte() as i8);
        }
        let mut points = 0;
        for _ in 0..strokes {
            let count = bytes.byte();
            points += i32::from(count) % (MOST_POINTS as i32 + 1);
            self.offsets.push(if lies { i32::from(count as i8) } else { points });
        }
        self.read_points(bytes, points as usize, |bytes| bytes.number());
    }

    /// Fills in a row that can be drawn, unless it has no points.
    pub fn read_tame(&mut self, bytes: &mut Bytes) {
        self.restart([KINDS - 1; 2]);
        let mut points = 0;
        for _ in 0..1 + bytes.below(MOST_STROKES) {
            points += 1 + bytes.below(MOST_POINTS);
            self.offsets.push(points as i32);
        }
        self.read_points(bytes, points, |bytes| bytes.tame_number());
    }

    fn restart(&mut self, kinds: [usize; 2]) {
        self.offsets.clear();
        self.offsets.push(0);
        for (axis, kind) in self.axes.iter_mut().zip(kinds) {
            axis.clear(kind);
        }
    }

    fn read_points(&mut self, bytes: &mut Bytes, count: usize, mut number: impl FnMut(&mut Bytes) -> f64) {
        for _ in 0..count {
            for axis in &mut self.axes {
                axis.push(number(bytes));
            }
        }
    }

    /// The row as the core checks it.
    pub fn strokes(&self) -> Result<Strokes<'_>, RowError> {
        Strokes::new(Offsets::Int32(&self.offsets), self.axes[0].coordinates(), self.axes[1].coordinates())
    }

    /// The row's strokes, straight from what it is made of, or why it has none.
    pub fn plain(&self) -> Result<Vec<Vec<[f64; 2]>>, &'static str> {
        let [x, y] = [&self.axes[0], &self.axes[1]].map(Axes::widened);
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
