//! Activations of one layer, with a border of zeros, and rectangles of changed pixels.

use std::ops::Range;

/// A square picture of several channels, row-major with channels last, in a border of one blank pixel.
#[derive(Clone, Debug)]
pub struct Plane {
    pub side: usize,
    pub channels: usize,
    values: Vec<f32>,
}

impl Plane {
    pub fn new(side: usize, channels: usize) -> Self {
        Plane { side, channels, values: vec![0.0; (side + 2) * (side + 2) * channels] }
    }

    /// Floats from one row to the next.
    fn stride(&self) -> usize {
        (self.side + 2) * self.channels
    }

    /// `count` pixels of a row, border included: row 0 and column 0 are border.
    #[inline(always)]
    pub fn bordered(&self, row: usize, column: usize, count: usize) -> &[f32] {
        let start = row * self.stride() + column * self.channels;
        &self.values[start..start + count * self.channels]
    }

    /// `count` pixels of a row, border not counted.
    #[inline(always)]
    pub fn pixels(&self, row: usize, column: usize, count: usize) -> &[f32] {
        self.bordered(row + 1, column + 1, count)
    }

    /// As [`Plane::pixels`], to write.
    #[inline(always)]
    pub fn pixels_mut(&mut self, row: usize, column: usize, count: usize) -> &mut [f32] {
        let start = (row + 1) * self.stride() + (column + 1) * self.channels;
        &mut self.values[start..start + count * self.channels]
    }

    /// Copies a rectangle from a plane of the same shape.
    pub fn restore(&mut self, from: &Plane, area: &Rectangle) {
        for row in area.rows.clone() {
            let count = area.columns.len();
            let blank = from.pixels(row, area.columns.start, count);
            self.pixels_mut(row, area.columns.start, count).copy_from_slice(blank);
        }
    }
}

/// The pixels of a plane that may differ from those of the blank canvas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rectangle {
    pub rows: Range<usize>,
    pub columns: Range<usize>,
}

impl Rectangle {
    /// The outputs of a 3x3 convolution (padding 1) whose windows touch this rectangle of its input.
    pub fn reached(&self, stride: usize, side: usize) -> Self {
        // Output o looks at the inputs from stride * o - 1 to stride * o + 1.
        let along = |range: &Range<usize>| {
            let first = range.start.saturating_sub(1).div_ceil(stride);
            let end = (range.end / stride + 1).min(side);
            first.min(end)..end
        };
        Rectangle { rows: along(&self.rows), columns: along(&self.columns) }
    }

    /// The rectangle with its columns grown to whole groups of `group`, which divides the side of the plane.
    pub fn in_groups_of(&self, group: usize) -> Self {
        let columns = self.columns.start / group * group..self.columns.end.next_multiple_of(group);
        Rectangle { rows: self.rows.clone(), columns }
    }

    /// The whole plane.
    pub fn whole(side: usize) -> Self {
        Rectangle { rows: 0..side, columns: 0..side }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reached_outputs_are_those_whose_windows_touch() {
        for (stride, side) in [(1, 16), (2, 8)] {
            for start in 0..16 {
                for end in start + 1..=16 {
                    let input = Rectangle { rows: start..end, columns: 0..16 };
                    let touches = |output: &usize| {
                        let first = (stride * output) as isize - 1;
                        (first..=first + 2).any(|pixel| (start as isize..end as isize).contains(&pixel))
                    };
                    let expected: Vec<usize> = (0..side).filter(touches).collect();
                    let found: Vec<usize> = input.reached(stride, side).rows.collect();
                    assert_eq!(found, expected, "stride {stride}, input {start}..{end}");
                }
            }
        }
    }
}
