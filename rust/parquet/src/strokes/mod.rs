//! Columns of strokes, decoded straight into the buffers of Arrow arrays.
//!
//! A general reader decodes the levels of each list from each coordinate anew, and assembles lists of structs of lists
//! from their leaves. Here each run of levels is one step.

mod axis;
mod bits;
mod compression;
mod hybrid;
mod lists;
mod nesting;
mod numbers;
mod pages;

use std::fs::File;
use std::sync::Arc;

use parquet::basic::Type as Physical;
use parquet::file::metadata::RowGroupMetaData;

pub use self::compression::Codec;
pub use self::pages::Decompress;

use self::axis::{AxisReader, AxisRows};
use self::bits::Validity;
use self::nesting::{Kind, Nesting};
use self::numbers::Number;
use self::pages::{MaxLevels, Pages};
use crate::checks::Footer;
use crate::error::{Result, mismatch};

/// Coordinates of points, a number for each, 0 for null.
#[derive(Clone, Debug)]
pub enum Values {
    /// float32.
    Float32(Vec<f32>),
    /// float64.
    Float64(Vec<f64>),
}

/// Where each list begins and the end of the last, if it is a level of lists, and the null bitmap, if there are nulls.
pub type StrokeLevel = (Option<Vec<i32>>, Option<Vec<u8>>);

/// Some rows of a column of strokes.
#[derive(Debug)]
pub struct StrokeRows {
    /// Number of rows.
    pub rows: usize,
    /// From the rows down to the points.
    pub levels: Vec<StrokeLevel>,
    /// The two coordinates and their null bitmaps, in the order of the file.
    pub axes: [(Values, Option<Vec<u8>>); 2],
}

/// Reads a column of strokes of a row group.
pub struct StrokeReader {
    nesting: Nesting,
    axes: Axes,
    left: u64,
}

enum Axes {
    Float32(PointReader<f32>),
    Float64(PointReader<f64>),
}

/// Reads both coordinates of points.
struct PointReader<T> {
    x: AxisReader<T>,
    y: AxisReader<T>,
    /// Whether all pages of y so far have had the same levels as those of x.
    alike: bool,
}

impl Footer {
    /// The columns that [`StrokeReader`] may read: the index of each, and its number of levels.
    #[must_use]
    pub fn stroke_columns(&self) -> Vec<(usize, usize)> {
        let fields = self.metadata().file_metadata().schema().get_fields().iter().enumerate();
        fields.filter_map(|(root, field)| Some((root, Nesting::find(field)?.levels.len()))).collect()
    }

    /// Begins to read a column of strokes of a row group.
    ///
    /// # Errors
    /// When there is none, or it is stored in a way that is not known here.
    pub fn strokes(&self, file: File, row_group: usize, root: usize, decompress: Decompress) -> Result<StrokeReader> {
        let none = || mismatch(format!("there is no column {root} of strokes in row group {row_group}"));
        let group = self.metadata().row_groups().get(row_group).ok_or_else(none)?;
        let schema = self.metadata().file_metadata().schema_descr();
        let field = self.metadata().file_metadata().schema().get_fields().get(root).ok_or_else(none)?;
        let nesting = Nesting::find(field).ok_or_else(none)?;
        let leaves: Vec<usize> =
            (0..schema.num_columns()).filter(|&leaf| schema.get_column_root_idx(leaf) == root).collect();
        let [x, y] = leaves[..] else { return Err(none()) };
        let file = Arc::new(file);
        let axes = match nesting.axes.map(|axis| axis.kind) {
            [Physical::FLOAT, Physical::FLOAT] => {
                Axes::Float32(PointReader::new(group, &nesting, [x, y], &file, &decompress)?)
            }
            [Physical::DOUBLE, Physical::DOUBLE] => {
                Axes::Float64(PointReader::new(group, &nesting, [x, y], &file, &decompress)?)
            }
            _ => return Err(mismatch("x and y have different types".into())),
        };
        Ok(StrokeReader { nesting, axes, left: group.num_rows().unsigned_abs() })
    }
}

impl StrokeReader {
    /// Reads up to `rows` whole rows, at least one, and no more after `points` points. Without rows at the end.
    ///
    /// # Errors
    /// When the file cannot be read, a page is damaged or stored in a way that is not known here, or x and y have
    /// different lists.
    pub fn read(&mut self, rows: usize, points: usize) -> Result<StrokeRows> {
        let StrokeReader { nesting, axes, left } = self;
        let read = match axes {
            Axes::Float32(reader) => reader.read(nesting, rows.max(1), points, Values::Float32)?,
            Axes::Float64(reader) => reader.read(nesting, rows.max(1), points, Values::Float64)?,
        };
        let is_end = read.rows == 0;
        *left = left
            .checked_sub(read.rows as u64)
            .ok_or_else(|| mismatch("it has more rows than the footer says".into()))?;
        if is_end && *left > 0 {
            return Err(mismatch("it has fewer rows than the footer says".into()));
        }
        Ok(read)
    }
}

impl<T: Number> PointReader<T> {
    fn new(
        group: &RowGroupMetaData,
        nesting: &Nesting,
        leaves: [usize; 2],
        file: &Arc<File>,
        decompress: &Decompress,
    ) -> Result<Self> {
        let pages = |axis: usize| {
            let column = group.column(leaves[axis]);
            let max_levels = MaxLevels { repetition: nesting.lists, definition: nesting.axes[axis].valid };
            let descriptor = column.column_descr();
            let levels = [descriptor.max_rep_level(), descriptor.max_def_level()];
            if levels.map(|level| u32::from(level.unsigned_abs())) != [max_levels.repetition, max_levels.definition] {
                return Err(mismatch("the nesting of a column is not known".into()));
            }
            Pages::new(file.clone(), column, max_levels, decompress.clone())
        };
        let alike = nesting.axes[0].valid == nesting.axes[1].valid;
        Ok(PointReader { x: AxisReader::new(pages(0)?, 0), y: AxisReader::new(pages(1)?, 1), alike })
    }

    fn read(
        &mut self,
        nesting: &Nesting,
        rows: usize,
        points: usize,
        values: impl Fn(Vec<T>) -> Values,
    ) -> Result<StrokeRows> {
        let x = self.x.read(nesting, rows, points)?;
        let y = self.read_y(nesting, &x)?;
        let AxisRows { lists, numbers, .. } = x;
        let levels =
            nesting.levels.iter().zip(lists.levels).map(|(level, items)| {
                ((level.kind == Kind::List).then_some(items.offsets), items.validity.into_bits())
            });
        let levels = levels.collect();
        let axes = [(values(numbers), lists.values.into_bits()), (values(y.0), y.1.into_bits())];
        Ok(StrokeRows { rows: lists.rows, levels, axes })
    }

    /// Reads y of the rows whose x was read, and which of them are not null.
    fn read_y(&mut self, nesting: &Nesting, x: &AxisRows<'_, T>) -> Result<(Vec<T>, Validity)> {
        if self.alike {
            let before = self.y.clone();
            if let Some(numbers) = self.y.read_like(x)? {
                return Ok((numbers, x.lists.values.clone()));
            }
            self.alike = false;
            self.y = before;
            self.y.pass_levels()?;
        }
        let y = self.y.read(nesting, x.lists.rows.max(1), x.lists.entries)?;
        if x.lists.rows != y.lists.rows || x.lists.levels != y.lists.levels {
            return Err(mismatch("x and y have different lists".into()));
        }
        Ok((y.numbers, y.lists.values))
    }
}
