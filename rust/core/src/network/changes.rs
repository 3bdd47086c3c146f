//! Which pixels of a plane differ from a blank canvas.

use std::ops::Range;

use crate::canvas::RowBits;

/// A pixel of a plane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pixel {
    pub row: usize,
    pub column: usize,
}

/// The changed pixels of a plane, row by row. Rows before `first` and after the last have none.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    first: usize,
    rows: Vec<RowBits>,
}

impl Changes {
    /// All pixels of a plane.
    pub fn whole(side: usize) -> Self {
        Changes { first: 0, rows: vec![up_to(side); side] }
    }

    /// Clears all changes. The next row to be added is `first`.
    pub fn restart(&mut self, first: usize) {
        self.first = first;
        self.rows.clear();
    }

    /// Adds the changes of the next row.
    pub fn push(&mut self, bits: RowBits) {
        self.rows.push(bits);
    }

    /// The rows that may have changes.
    pub fn rows(&self) -> Range<usize> {
        self.first..self.first + self.rows.len()
    }

    /// The changes of a row.
    pub fn row(&self, row: usize) -> RowBits {
        row.checked_sub(self.first).and_then(|index| self.rows.get(index)).copied().unwrap_or_default()
    }

    /// The columns from the first to the last change of a row.
    pub fn span(&self, row: usize) -> Range<usize> {
        let bits = self.row(row);
        let Some(first) = bits.iter().position(|&word| word != 0) else { return 0..0 };
        let last = bits.iter().rposition(|&word| word != 0).unwrap_or(first);
        let start = 64 * first + bits[first].trailing_zeros() as usize;
        start..64 * (last + 1) - bits[last].leading_zeros() as usize
    }

    /// Replaces the changes: an output of a 3x3 convolution (padding 1) changes if its window touches a change of the
    /// input. `side` is the side of the output.
    pub fn set_reached(&mut self, input: &Changes, stride: usize, side: usize) {
        // Output o depends on the inputs from stride * o - 1 to stride * o + 1.
        let rows = input.rows();
        let end = (rows.end / stride + 1).min(side);
        self.restart(rows.start.saturating_sub(1).div_ceil(stride).min(end));
        for row in self.first..end {
            let middle = row * stride;
            let above = if middle > 0 { input.row(middle - 1) } else { RowBits::default() };
            let touched = or(above, or(input.row(middle), input.row(middle + 1)));
            let around = or(touched, or(towards_end(touched), towards_start(touched)));
            let reached = if stride == 1 { around } else { every_second(around) };
            self.rows.push(and(reached, up_to(side)));
        }
    }

    /// Extends the changes to whole groups of `width` (1, 2 or 4) neighbouring pixels.
    pub fn grow(&mut self, width: usize) {
        for word in self.rows.as_flattened_mut() {
            *word = first_of_each(width, *word) * ((1 << width) - 1);
        }
    }

    /// Replaces `items` by one for the first pixel of each group of `width` (1, 2 or 4) pixels that has a change, row by
    /// row.
    #[inline(always)]
    pub fn list<T>(&self, width: usize, item: impl Fn(Pixel) -> T, items: &mut Vec<T>) {
        items.clear();
        for row in self.rows() {
            list_row(row, self.row(row), width, &item, items);
        }
    }

    /// The same as [`Changes::list`] with the groups above and below each change. `side` is the side of the plane.
    #[inline(always)]
    pub fn list_with_neighbours<T>(&self, width: usize, side: usize, item: impl Fn(Pixel) -> T, items: &mut Vec<T>) {
        items.clear();
        let rows = self.rows();
        for row in rows.start.saturating_sub(1)..(rows.end + 1).min(side) {
            let above = if row > 0 { self.row(row - 1) } else { RowBits::default() };
            list_row(row, or(above, or(self.row(row), self.row(row + 1))), width, &item, items);
        }
    }
}

#[inline(always)]
fn list_row<T>(row: usize, bits: RowBits, width: usize, item: &impl Fn(Pixel) -> T, items: &mut Vec<T>) {
    for (first, word) in (0..).step_by(64).zip(bits) {
        let mut word = first_of_each(width, word);
        while word != 0 {
            items.push(item(Pixel { row, column: first + word.trailing_zeros() as usize }));
            word &= word - 1;
        }
    }
}

fn or(a: RowBits, b: RowBits) -> RowBits {
    std::array::from_fn(|word| a[word] | b[word])
}

fn and(a: RowBits, b: RowBits) -> RowBits {
    std::array::from_fn(|word| a[word] & b[word])
}

/// The first `count` pixels.
fn up_to(count: usize) -> RowBits {
    std::array::from_fn(|word| match count.saturating_sub(64 * word) {
        bits @ 0..64 => (1 << bits) - 1,
        _ => u64::MAX,
    })
}

/// Each pixel moved to the next column.
fn towards_end(bits: RowBits) -> RowBits {
    std::array::from_fn(|word| bits[word] << 1 | if word > 0 { bits[word - 1] >> 63 } else { 0 })
}

/// Each pixel moved to the column before.
fn towards_start(bits: RowBits) -> RowBits {
    std::array::from_fn(|word| bits[word] >> 1 | bits.get(word + 1).map_or(0, |next| next << 63))
}

/// The pixels of even columns, at half their column.
fn every_second(bits: RowBits) -> RowBits {
    let half = |word: u64| {
        let mut word = word & 0x5555_5555_5555_5555;
        for (shift, kept) in [
            (1, 0x3333_3333_3333_3333),
            (2, 0x0f0f_0f0f_0f0f_0f0f),
            (4, 0x00ff_00ff_00ff_00ff),
            (8, 0x0000_ffff_0000_ffff),
            (16, 0x0000_0000_ffff_ffff),
        ] {
            word = (word | word >> shift) & kept;
        }
        word
    };
    std::array::from_fn(|word| {
        let of = |word: usize| bits.get(word).map_or(0, |&bits| half(bits));
        of(2 * word) | of(2 * word + 1) << 32
    })
}

/// The first pixel of each group of `width` (1, 2 or 4) with any pixel set.
fn first_of_each(width: usize, word: u64) -> u64 {
    let pairs = word | word >> 1;
    match width {
        1 => word,
        2 => pairs & 0x5555_5555_5555_5555,
        _ => (pairs | pairs >> 2) & 0x1111_1111_1111_1111,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pixels(changes: &Changes) -> Vec<(usize, usize)> {
        let mut found = Vec::new();
        changes.list(1, |pixel| pixel, &mut found);
        found.iter().map(|pixel| (pixel.row, pixel.column)).collect()
    }

    fn of(side: usize, changed: &[(usize, usize)]) -> Changes {
        let mut changes = Changes::default();
        for row in 0..side {
            let mut bits = RowBits::default();
            for (_, column) in changed.iter().filter(|pixel| pixel.0 == row) {
                bits[column / 64] |= 1 << (column % 64);
            }
            changes.push(bits);
        }
        changes
    }

    #[test]
    fn reached_outputs_are_those_whose_windows_touch() {
        let changed = [(0, 0), (3, 63), (4, 64), (9, 127), (20, 128), (100, 191), (101, 192), (255, 255), (255, 30)];
        for (stride, side) in [(1, 256), (2, 128)] {
            let mut reached = Changes::default();
            reached.set_reached(&of(256, &changed), stride, side);
            let mut expected = Vec::new();
            for (row, column) in (0..side).flat_map(|row| (0..side).map(move |column| (row, column))) {
                let near = |output: usize, input: usize| (stride * output).abs_diff(input) <= 1;
                if changed.iter().any(|pixel| near(row, pixel.0) && near(column, pixel.1)) {
                    expected.push((row, column));
                }
            }
            assert_eq!(pixels(&reached), expected, "stride {stride}");
        }
    }

    #[test]
    fn groups_are_whole() {
        let mut changes = of(70, &[(2, 3), (2, 5), (2, 66), (69, 0)]);
        for (width, expected) in
            [(2, vec![(2, 2), (2, 4), (2, 66), (69, 0)]), (4, vec![(2, 0), (2, 4), (2, 64), (69, 0)])]
        {
            let mut firsts = Vec::new();
            changes.list(width, |pixel| pixel, &mut firsts);
            assert_eq!(firsts, expected.iter().map(|&(row, column)| Pixel { row, column }).collect::<Vec<_>>());
        }
        changes.grow(4);
        let columns = |first| (first..first + 4).map(move |column| (2, column));
        assert_eq!(pixels(&changes)[..12], columns(0).chain(columns(4)).chain(columns(64)).collect::<Vec<_>>());
    }

    #[test]
    fn neighbours_are_above_and_below() {
        let mut near = Vec::new();
        of(8, &[(0, 3), (6, 1), (7, 5)]).list_with_neighbours(4, 8, |pixel| pixel, &mut near);
        let expected = [(0, 0), (1, 0), (5, 0), (6, 0), (6, 4), (7, 0), (7, 4)];
        assert_eq!(near, expected.map(|(row, column)| Pixel { row, column }));
    }

    #[test]
    fn spans_go_from_the_first_change_to_the_last() {
        let changes = of(256, &[(1, 7), (1, 200), (3, 255), (4, 64)]);
        let spans = [0..0, 7..201, 0..0, 255..256, 64..65];
        assert_eq!([0, 1, 2, 3, 4].map(|row| changes.span(row)), spans);
        assert_eq!(changes.span(999), 0..0);
    }

    #[test]
    fn whole_planes_have_every_pixel() {
        for side in [1, 8, 63, 64, 65, 128, 256] {
            assert_eq!(pixels(&Changes::whole(side)).len(), side * side);
        }
    }
}
