//! Stroke columns of Arrow arrays, read where they lie.

use std::ops::Range;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, StructArray};
use arrow_buffer::{NullBuffer, ScalarBuffer};
use arrow_schema::DataType;
use half::f16;

use crate::error::RowError;
use crate::rows::Rows;
use crate::strokes::{Coordinates, Offsets, Strokes, locate};

/// The Arrow types that a stroke column may have, for error messages.
pub const ACCEPTED_TYPES: &str = "list<list<struct<points: list<struct<x, y>>>>> (words of strokes) or \
    list<struct<points: list<struct<x, y>>>> (strokes), where x and y are of any float or integer type, each list may \
    be a large_list, a point may be a list of two numbers, and a stroke may be its list of points";

/// An Arrow array that is not a stroke column.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a stroke column: found {found}; expected {ACCEPTED_TYPES}")]
pub struct TypeMismatch {
    found: String,
}

/// One chunk of a stroke column. It shares the memory of the Arrow array it was made from.
#[derive(Clone, Debug)]
pub struct StrokeChunk {
    rows: List,
    /// Rows before the first in which offsets decrease. Each row after it could have all points of the array again, so that
    /// the work would be the array's square.
    rows_in_order: usize,
    words: Option<List>,
    stroke_nulls: Option<NullBuffer>,
    points: List,
    point_nulls: Option<NullBuffer>,
    /// Where points are lists of numbers: valid for those of exactly two.
    pair_shapes: Option<NullBuffer>,
    /// The point with which the coordinates and the nulls of points begin.
    first_point: usize,
    x: CoordinateBuffer,
    y: CoordinateBuffer,
}

/// Splits an array into its levels of lists, at most as many as a row can have, and what is in the innermost.
fn peel(mut values: ArrayRef) -> Option<(Vec<List>, ArrayRef)> {
    const MOST: usize = 3;
    let mut lists = Vec::new();
    while let Some((list, inner)) = List::split(&values) {
        lists.push(list);
        values = inner;
        if lists.len() > MOST {
            return None;
        }
    }
    Some((lists, values))
}

/// The offsets and nulls of a list array.
#[derive(Clone, Debug)]
struct List {
    offsets: OffsetBuffer,
    nulls: Option<NullBuffer>,
}

#[derive(Clone, Debug)]
enum OffsetBuffer {
    Int32(ScalarBuffer<i32>),
    Int64(ScalarBuffer<i64>),
}

impl List {
    /// Splits a list or large_list array into its offsets and its values.
    fn split(array: &ArrayRef) -> Option<(Self, ArrayRef)> {
        if let Some(list) = array.as_list_opt::<i32>() {
            let offsets = OffsetBuffer::Int32(list.offsets().inner().clone());
            Some((List { offsets, nulls: list.nulls().cloned() }, list.values().clone()))
        } else {
            let list = array.as_list_opt::<i64>()?;
            let offsets = OffsetBuffer::Int64(list.offsets().inner().clone());
            Some((List { offsets, nulls: list.nulls().cloned() }, list.values().clone()))
        }
    }

    fn offsets(&self) -> Offsets<'_> {
        match &self.offsets {
            OffsetBuffer::Int32(values) => Offsets::Int32(values),
            OffsetBuffer::Int64(values) => Offsets::Int64(values),
        }
    }

    fn len(&self) -> usize {
        self.offsets().count()
    }

    /// The first of the lists in `range` that ends before it begins, which no true array has, or else the range's end.
    fn in_order(&self, range: Range<usize>) -> usize {
        let offsets = self.offsets();
        let end = range.end.min(self.len());
        (range.start..end).find(|&list| offsets.get(list + 1) < offsets.get(list)).unwrap_or(end)
    }

    fn memory(&self) -> impl Iterator<Item = Range<usize>> {
        let offsets = match &self.offsets {
            OffsetBuffer::Int32(values) => place(values.inner().as_slice()),
            OffsetBuffer::Int64(values) => place(values.inner().as_slice()),
        };
        std::iter::once(offsets).chain(self.nulls.as_ref().map(null_place))
    }

    /// Where the items of the lists in `range` lie in the values, or `None` if the offsets lie.
    fn items(&self, range: Range<usize>) -> Option<Range<usize>> {
        let (start, end) = (self.offsets().get(range.start)?, self.offsets().get(range.end)?);
        (start <= end).then_some(start..end)
    }
}

macro_rules! coordinate_buffer {
    ($($variant:ident: $type:ty, $arrow:ty;)*) => {
        /// The coordinates of one axis of a whole chunk, with their nulls.
        #[derive(Clone, Debug)]
        enum CoordinateBuffer {
            $($variant(ScalarBuffer<$type>, Option<NullBuffer>),)*
        }

        impl CoordinateBuffer {
            fn new(array: &ArrayRef) -> Option<Self> {
                let nulls = array.nulls().cloned();
                match array.data_type() {
                    $(DataType::$variant => {
                        let values = array.as_primitive_opt::<$arrow>()?.values().clone();
                        Some(CoordinateBuffer::$variant(values, nulls))
                    })*
                    _ => None,
                }
            }

            fn empty() -> Self {
                CoordinateBuffer::Float64(ScalarBuffer::from(Vec::new()), None)
            }

            fn values(&self) -> Coordinates<'_> {
                match self { $(CoordinateBuffer::$variant(values, _) => Coordinates::$variant(values),)* }
            }

            fn nulls(&self) -> Option<&NullBuffer> {
                match self { $(CoordinateBuffer::$variant(_, nulls) => nulls.as_ref(),)* }
            }

            fn memory(&self) -> impl Iterator<Item = Range<usize>> {
                let values = match self {
                    $(CoordinateBuffer::$variant(values, _) => place(values.inner().as_slice()),)*
                };
                std::iter::once(values).chain(self.nulls().map(null_place))
            }
        }
    };
}

coordinate_buffer! {
    Int8: i8, Int8Type;
    Int16: i16, Int16Type;
    Int32: i32, Int32Type;
    Int64: i64, Int64Type;
    UInt8: u8, UInt8Type;
    UInt16: u16, UInt16Type;
    UInt32: u32, UInt32Type;
    UInt64: u64, UInt64Type;
    Float16: f16, Float16Type;
    Float32: f32, Float32Type;
    Float64: f64, Float64Type;
}

/// Points that are lists of numbers, of any length or of exactly two.
enum Pairs {
    List(List),
    Fixed(usize, Option<NullBuffer>),
}

impl Pairs {
    fn len(&self) -> usize {
        match self {
            Pairs::List(list) => list.len(),
            Pairs::Fixed(count, _) => *count,
        }
    }

    fn nulls(&self) -> Option<&NullBuffer> {
        match self {
            Pairs::List(list) => list.nulls.as_ref(),
            Pairs::Fixed(_, nulls) => nulls.as_ref(),
        }
    }

    /// Where the numbers of a point lie.
    fn numbers(&self, point: usize) -> Option<Range<usize>> {
        match self {
            Pairs::List(list) => list.items(point..point + 1),
            Pairs::Fixed(..) => Some(2 * point..2 * point + 2),
        }
    }
}

/// Lists of two numbers, copied apart into x and y.
struct SplitPairs {
    x: CoordinateBuffer,
    y: CoordinateBuffer,
    nulls: NullBuffer,
    shapes: NullBuffer,
}

impl SplitPairs {
    /// Splits the pairs in `used`, which may be a small part of all.
    fn new(pairs: &Pairs, numbers: &CoordinateBuffer, used: Range<usize>) -> Self {
        let mut axes = [Vec::with_capacity(used.len()), Vec::with_capacity(used.len())];
        let (mut nulls, mut shapes) = (Vec::with_capacity(used.len()), Vec::with_capacity(used.len()));
        for point in used {
            let null = first_null(pairs.nulls(), point..point + 1).is_some();
            let pair = pairs.numbers(point).filter(|pair| pair.len() == 2);
            nulls.push(!null && pair.clone().is_none_or(|pair| first_null(numbers.nulls(), pair).is_none()));
            shapes.push(pair.is_some());
            for (axis, values) in axes.iter_mut().enumerate() {
                let value = pair.as_ref().and_then(|pair| numbers.values().get(pair.start + axis));
                values.push(value.unwrap_or(f64::NAN));
            }
        }
        let [x, y] = axes.map(|values| CoordinateBuffer::Float64(ScalarBuffer::from(values), None));
        SplitPairs { x, y, nulls: NullBuffer::from(nulls), shapes: NullBuffer::from(shapes) }
    }
}

impl StrokeChunk {
    /// Looks at an array as a stroke column. Only points that are lists of numbers are copied.
    ///
    /// # Errors
    /// When the type is none of [`ACCEPTED_TYPES`].
    pub fn new(array: &ArrayRef) -> Result<Self, TypeMismatch> {
        Self::find_levels(array).ok_or_else(|| TypeMismatch { found: array.data_type().to_string() })
    }

    fn find_levels(array: &ArrayRef) -> Option<Self> {
        let (rows, values) = List::split(array)?;
        let (mut lists, values) = peel(values)?;
        let (mut stroke_nulls, mut points, mut point_values) = (None, None, values);
        let points_child = point_values.as_struct_opt().and_then(|strokes| strokes.column_by_name("points")).cloned();
        if let Some(child) = points_child {
            stroke_nulls = point_values.nulls().cloned();
            let (list, values) = List::split(&child)?;
            points = Some(list);
            let (inner, values) = peel(values)?;
            lists.extend(inner);
            point_values = values;
        }
        let pair_list = if point_values.data_type().is_numeric() { Some(lists.pop()?) } else { None };
        let points = match points {
            Some(points) => points,
            None => lists.pop()?,
        };
        let words = lists.pop();
        if !lists.is_empty() {
            return None;
        }
        let mut chunk = StrokeChunk {
            rows,
            rows_in_order: 0,
            words,
            stroke_nulls,
            points,
            point_nulls: None,
            pair_shapes: None,
            first_point: 0,
            x: CoordinateBuffer::empty(),
            y: CoordinateBuffer::empty(),
        };
        chunk.rows_in_order = chunk.count_rows_in_order();
        chunk.read_points(&point_values, pair_list)?;
        Some(chunk)
    }

    fn count_rows_in_order(&self) -> usize {
        let rows = self.rows.in_order(0..self.len());
        let items = self.rows.items(0..rows).unwrap_or(0..0);
        let (words, strokes) = match &self.words {
            Some(words) => {
                let end = words.in_order(items.clone());
                (end, words.items(items.start..end).unwrap_or(0..0))
            }
            None => (usize::MAX, items),
        };
        let strokes = self.points.in_order(strokes);
        let in_order = |row: &usize| {
            let end = self.rows.offsets().get(row + 1).unwrap_or(usize::MAX);
            let end_stroke = self.words.as_ref().map_or(Some(end), |words| words.offsets().get(end));
            end <= words && end_stroke.is_some_and(|stroke| stroke <= strokes)
        };
        (0..rows).find(|row| !in_order(row)).unwrap_or(rows)
    }

    /// Where the arrays lie that rows are read from.
    fn memory(&self) -> impl Iterator<Item = Range<usize>> {
        let lists = [Some(&self.rows), self.words.as_ref(), Some(&self.points)];
        let nulls = [&self.stroke_nulls, &self.point_nulls, &self.pair_shapes];
        let lists = lists.into_iter().flatten().flat_map(List::memory);
        let nulls = nulls.into_iter().flatten().map(null_place);
        lists.chain(nulls).chain(self.x.memory()).chain(self.y.memory())
    }

    /// Fills in the coordinates: borrowed from a struct of x and y, or copied apart from pairs.
    fn read_points(&mut self, values: &ArrayRef, pair_list: Option<List>) -> Option<()> {
        if let Some(point) = values.as_struct_opt() {
            self.point_nulls = point.nulls().cloned();
            self.x = CoordinateBuffer::new(point.column_by_name("x")?)?;
            self.y = CoordinateBuffer::new(point.column_by_name("y")?)?;
            return Some(());
        }
        let (pairs, numbers) = match (pair_list, values.as_fixed_size_list_opt()) {
            (Some(list), _) => (Pairs::List(list), values.clone()),
            (None, Some(list)) if list.value_length() == 2 => {
                (Pairs::Fixed(list.len(), list.nulls().cloned()), list.values().clone())
            }
            _ => return None,
        };
        let numbers = CoordinateBuffer::new(&numbers)?;
        let used = self.used_points().filter(|used| used.end <= pairs.len()).unwrap_or(0..0);
        self.first_point = used.start;
        let split = SplitPairs::new(&pairs, &numbers, used);
        self.point_nulls = Some(split.nulls);
        self.pair_shapes = Some(split.shapes);
        self.x = split.x;
        self.y = split.y;
        Some(())
    }

    /// The points of all rows of the chunk, which may be a slice of a much larger array.
    fn used_points(&self) -> Option<Range<usize>> {
        let items = self.rows.items(0..self.len())?;
        let strokes = match &self.words {
            Some(words) => words.items(items)?,
            None => items,
        };
        self.points.items(strokes)
    }

    /// The strokes of a row, once neither it nor a word of it is null.
    fn stroke_range(&self, row: usize) -> Result<Range<usize>, RowError> {
        const BROKEN: RowError = RowError::BrokenOffsets { stroke: 0 };
        if first_null(self.rows.nulls.as_ref(), row..row + 1).is_some() {
            return Err(RowError::NullRow);
        }
        if row >= self.rows_in_order {
            return Err(BROKEN);
        }
        let items = self.rows.items(row..row + 1).ok_or(BROKEN)?;
        let Some(words) = &self.words else { return Ok(items) };
        if let Some(word) = first_null(words.nulls.as_ref(), items.clone()) {
            return Err(RowError::NullWord { word: word - items.start });
        }
        words.items(items).ok_or(BROKEN)
    }
}

impl Rows for StrokeChunk {
    fn len(&self) -> usize {
        self.rows.len()
    }

    fn row(&self, index: usize) -> Result<Strokes<'_>, RowError> {
        let strokes = self.stroke_range(index)?;
        for nulls in [&self.stroke_nulls, &self.points.nulls] {
            if let Some(stroke) = first_null(nulls.as_ref(), strokes.clone()) {
                return Err(RowError::NullStroke { stroke: stroke - strokes.start });
            }
        }
        let broken = RowError::BrokenOffsets { stroke: 0 };
        let offsets = self.points.offsets().slice(strokes.start, strokes.end).ok_or(broken.clone())?;
        let points = self.points.items(strokes).ok_or(broken.clone())?;
        let start = points.start.checked_sub(self.first_point).ok_or(broken)?;
        let points = start..start + points.len();
        for nulls in [self.point_nulls.as_ref(), self.x.nulls(), self.y.nulls()] {
            if let Some(null) = first_null(nulls, points.clone()) {
                let (stroke, point) = locate(offsets, self.first_point + null);
                return Err(RowError::NullPoint { stroke, point });
            }
        }
        if let Some(misshapen) = first_null(self.pair_shapes.as_ref(), points) {
            let (stroke, point) = locate(offsets, self.first_point + misshapen);
            let problem = format!("point {point} must have two numbers");
            return Err(RowError::WrongType { stroke: Some(stroke), problem });
        }
        Strokes::with_base(offsets, self.first_point, self.x.values(), self.y.values())
    }

    fn word_lengths(&self, index: usize) -> Vec<usize> {
        let items = self.rows.items(index..index + 1).unwrap_or(0..0);
        match &self.words {
            Some(words) => items.map(|word| words.items(word..word + 1).map_or(0, |strokes| strokes.len())).collect(),
            None => vec![items.len()],
        }
    }
}

/// The addresses of bytes.
fn place(bytes: &[u8]) -> Range<usize> {
    let range = bytes.as_ptr_range();
    range.start as usize..range.end as usize
}

fn null_place(nulls: &NullBuffer) -> Range<usize> {
    place(nulls.validity())
}

/// Index of the first null in a range; indices past the end of the buffer count as valid.
fn first_null(nulls: Option<&NullBuffer>, range: Range<usize>) -> Option<usize> {
    let nulls = nulls.filter(|nulls| nulls.null_count() > 0)?;
    let end = range.end.min(nulls.len());
    (range.start..end).find(|&index| nulls.is_null(index))
}

/// A stroke column of any number of chunks.
#[derive(Clone, Debug, Default)]
pub struct StrokeColumn {
    chunks: Vec<StrokeChunk>,
    /// Index of the row after each chunk's last.
    ends: Vec<usize>,
}

impl StrokeColumn {
    /// Looks at a field of struct arrays, such as record batches, as a stroke column; where a struct is null, so is the
    /// row.
    ///
    /// # Errors
    /// When the type of the field is none of [`ACCEPTED_TYPES`].
    pub fn of_field<'a>(
        structs: impl IntoIterator<Item = &'a StructArray>,
        field: usize,
    ) -> Result<Self, TypeMismatch> {
        let chunk = |array: &StructArray| {
            let mut chunk = StrokeChunk::new(array.column(field))?;
            chunk.rows.nulls = NullBuffer::union(chunk.rows.nulls.as_ref(), array.nulls());
            Ok(chunk)
        };
        Ok(Self::of_chunks(structs.into_iter().map(chunk).collect::<Result<_, _>>()?))
    }

    /// Looks at arrays as the chunks of one stroke column; see [`StrokeChunk::new`].
    ///
    /// # Errors
    /// When the type of one is none of [`ACCEPTED_TYPES`].
    pub fn new<'a>(arrays: impl IntoIterator<Item = &'a ArrayRef>) -> Result<Self, TypeMismatch> {
        Ok(Self::of_chunks(arrays.into_iter().map(StrokeChunk::new).collect::<Result<_, _>>()?))
    }

    /// The addresses of the memory that the rows are read from.
    pub fn memory(&self) -> impl Iterator<Item = Range<usize>> {
        self.chunks.iter().flat_map(StrokeChunk::memory)
    }

    fn of_chunks(chunks: Vec<StrokeChunk>) -> Self {
        let mut total = 0;
        let ends = chunks
            .iter()
            .map(|chunk| {
                total += chunk.len();
                total
            })
            .collect();
        StrokeColumn { chunks, ends }
    }

    /// The chunk that has a row, and the row's index within it.
    fn find(&self, row: usize) -> (&StrokeChunk, usize) {
        let chunk = self.ends.partition_point(|&end| end <= row);
        let start = if chunk == 0 { 0 } else { self.ends[chunk - 1] };
        (&self.chunks[chunk], row - start)
    }
}

impl Rows for StrokeColumn {
    fn len(&self) -> usize {
        self.ends.last().copied().unwrap_or(0)
    }

    fn row(&self, index: usize) -> Result<Strokes<'_>, RowError> {
        let (chunk, row) = self.find(index);
        chunk.row(row)
    }

    fn word_lengths(&self, index: usize) -> Vec<usize> {
        let (chunk, row) = self.find(index);
        chunk.word_lengths(row)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::builder::{Float32Builder, Int16Builder, LargeListBuilder, ListBuilder, StructBuilder};
    use arrow_schema::Field;

    use super::*;
    use crate::strokes::Range as CoordinateRange;

    fn point_struct() -> StructBuilder {
        let fields = ["x", "y"].map(|name| Field::new(name, DataType::Float32, true));
        StructBuilder::new(fields.to_vec(), vec![Box::new(Float32Builder::new()), Box::new(Float32Builder::new())])
    }

    fn push(points: &mut StructBuilder, x: Option<f32>, y: Option<f32>) {
        points.field_builder::<Float32Builder>(0).unwrap().append_option(x);
        points.field_builder::<Float32Builder>(1).unwrap().append_option(y);
        points.append(true);
    }

    /// Rows of strokes that are lists of point structs: a stroke of two points, a null row, and a null y.
    fn rows_of_structs() -> ArrayRef {
        let mut rows = LargeListBuilder::new(ListBuilder::new(point_struct()));
        push(rows.values().values(), Some(1.0), Some(2.0));
        push(rows.values().values(), Some(4.0), Some(6.0));
        rows.values().append(true);
        rows.append(true);
        rows.append(false);
        rows.values().append(true);
        push(rows.values().values(), Some(0.0), Some(0.0));
        push(rows.values().values(), Some(0.0), None);
        rows.values().append(true);
        rows.append(true);
        Arc::new(rows.finish())
    }

    /// Rows of strokes of pairs, where one point has three numbers.
    fn rows_of_pairs() -> ArrayRef {
        let mut rows = ListBuilder::new(ListBuilder::new(ListBuilder::new(Int16Builder::new())));
        for pairs in [vec![vec![7, 8], vec![9, 12]], vec![vec![1, 2], vec![1, 2, 3]]] {
            for pair in pairs {
                rows.values().values().values().append_slice(&pair);
                rows.values().values().append(true);
            }
            rows.values().append(true);
            rows.append(true);
        }
        Arc::new(rows.finish())
    }

    #[test]
    fn nulls_are_found_where_they_are() {
        let chunk = StrokeChunk::new(&rows_of_structs()).unwrap();
        assert_eq!(chunk.len(), 3);
        assert_eq!(chunk.row(0).unwrap().y_range(), CoordinateRange { low: 2.0, high: 6.0 });
        assert_eq!(chunk.row(1).unwrap_err(), RowError::NullRow);
        assert_eq!(chunk.row(2).unwrap_err(), RowError::NullPoint { stroke: 1, point: 1 });
    }

    #[test]
    fn pairs_are_split_in_slices_too() {
        let column = StrokeColumn::new(&[rows_of_pairs(), rows_of_pairs().slice(1, 1)]).unwrap();
        assert_eq!(column.len(), 3);
        assert_eq!(column.row(0).unwrap().x_range(), CoordinateRange { low: 7.0, high: 9.0 });
        for row in [1, 2] {
            let error = column.row(row).unwrap_err();
            assert_eq!(error.to_string(), "wrong type: stroke 0: point 1 must have two numbers");
        }
    }

    #[test]
    fn lying_offsets_of_pairs_are_refused() {
        for end in [1_i64 << 45, 1 << 60] {
            let mut chunk = StrokeChunk::new(&rows_of_pairs()).unwrap();
            chunk.points.offsets = OffsetBuffer::Int64(ScalarBuffer::from(vec![0, end, 2]));
            let values: ArrayRef = Arc::new(arrow_array::Int16Array::from(vec![1; 8]));
            let pairs = List { offsets: OffsetBuffer::Int32(ScalarBuffer::from(vec![0, 2, 4])), nulls: None };
            chunk.read_points(&values, Some(pairs)).unwrap();
            assert!(matches!(chunk.row(0), Err(RowError::BrokenOffsets { .. })));
        }
    }

    #[test]
    fn no_points_belong_to_several_rows() {
        let strokes = rows_of_structs();
        let honest = strokes.as_list::<i64>();
        let points = honest.values().as_list::<i32>();
        let item = Arc::new(Field::new("item", points.data_type().clone(), true));
        // Six strokes over the same three points, forth and back, a row each.
        let lying = arrow_array::ListArray::new(
            Arc::new(Field::new("item", points.value_type(), true)),
            arrow_buffer::OffsetBuffer::from_lengths([3, 0, 0, 0, 0, 0]),
            points.values().clone(),
            None,
        );
        let rows =
            arrow_array::ListArray::new(item, arrow_buffer::OffsetBuffer::from_lengths([1; 6]), Arc::new(lying), None);
        let mut chunk = StrokeChunk::new(&(Arc::new(rows) as ArrayRef)).unwrap();
        assert_eq!(chunk.rows_in_order, 6);
        chunk.points.offsets = OffsetBuffer::Int32(ScalarBuffer::from(vec![0, 2, 0, 2, 0, 2, 0]));
        chunk.rows_in_order = chunk.count_rows_in_order();
        let good: Vec<_> = (0..6).filter(|&row| chunk.row(row).is_ok()).collect();
        assert_eq!(good, [0]);
        chunk.points.offsets = OffsetBuffer::Int32(ScalarBuffer::from(vec![0, 1, 2, 2, 2, 2, 2]));
        chunk.rows.offsets = OffsetBuffer::Int32(ScalarBuffer::from(vec![0, 2, 1, 2, 0, 1, 2]));
        chunk.rows_in_order = chunk.count_rows_in_order();
        assert_eq!(chunk.rows_in_order, 1);
    }

    #[test]
    fn null_structs_are_null_rows() {
        let strokes = rows_of_pairs();
        let field = Arc::new(Field::new("strokes", strokes.data_type().clone(), true));
        let nulls = Some(NullBuffer::from(vec![false, true]));
        let structs = StructArray::new(vec![field].into(), vec![strokes], nulls);
        let column = StrokeColumn::of_field([&structs], 0).unwrap();
        assert_eq!(column.row(0).unwrap_err(), RowError::NullRow);
        assert!(matches!(column.row(1), Err(RowError::WrongType { .. })));
    }

    #[test]
    fn other_types_are_refused_with_the_accepted_ones() {
        let numbers: ArrayRef = Arc::new(arrow_array::Int32Array::from(vec![1]));
        let error = StrokeChunk::new(&numbers).unwrap_err().to_string();
        assert!(error.contains("Int32") && error.contains(ACCEPTED_TYPES), "{error}");
    }
}
