use std::sync::Arc;

use arrow_array::StructArray;
use arrow_array::builder::{Float32Builder, Int16Builder, LargeListBuilder, ListBuilder, StructBuilder};
use arrow_buffer::ScalarBuffer;
use arrow_schema::{DataType, Field};

use super::*;
use crate::arrow::list::OffsetBuffer;
use crate::arrow::{ACCEPTED_TYPES, StrokeColumn};
use crate::coordinates::Extent;

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
    assert_eq!(chunk.row(0).unwrap().y_extent(), Extent { low: 2.0, high: 6.0 });
    assert_eq!(chunk.row(1).unwrap_err(), RowError::NullRow);
    assert_eq!(chunk.row(2).unwrap_err(), RowError::NullPoint { stroke: 1, point: 1 });
}

#[test]
fn pairs_are_split_in_slices_too() {
    let column = StrokeColumn::new(&[rows_of_pairs(), rows_of_pairs().slice(1, 1)]).unwrap();
    assert_eq!(column.len(), 3);
    assert_eq!(column.row(0).unwrap().x_extent(), Extent { low: 7.0, high: 9.0 });
    for row in [1, 2] {
        let error = column.row(row).unwrap_err();
        assert_eq!(error.to_string(), "wrong type: stroke 0: point 1 must have two numbers");
    }
}

#[test]
fn lying_offsets_of_pairs_are_refused() {
    for end in [1_i64 << 45, 1 << 60] {
        let mut levels = Levels::find(&rows_of_pairs()).unwrap();
        levels.points.offsets = OffsetBuffer::Int64(ScalarBuffer::from(vec![0, end, 2]));
        assert!(StrokeChunk::of_levels(levels.clone()).unwrap().row(0).is_err());
        levels.points.offsets = OffsetBuffer::Int64(ScalarBuffer::from(vec![0, 2, end]));
        let chunk = StrokeChunk::of_levels(levels).unwrap();
        assert!(chunk.row(0).is_ok(), "it lies in front of the lie");
        assert!(chunk.row(1).is_err());
    }
}

#[test]
fn no_points_belong_to_several_rows() {
    // Six strokes, a row each, over points that are many enough.
    let mut levels = Levels::find(&rows_of_structs()).unwrap();
    levels.rows = List { offsets: OffsetBuffer::Int32(ScalarBuffer::from_iter(0..7)), nulls: None };
    levels.points.offsets = OffsetBuffer::Int32(ScalarBuffer::from(vec![0, 2, 0, 2, 0, 2, 0]));
    let chunk = StrokeChunk::of_levels(levels.clone()).unwrap();
    assert_eq!((0..6).filter(|&row| chunk.row(row).is_ok()).collect::<Vec<_>>(), [0]);
    levels.points.offsets = OffsetBuffer::Int32(ScalarBuffer::from(vec![0, 1, 2, 2, 2, 2, 2]));
    assert_eq!(StrokeChunk::of_levels(levels.clone()).unwrap().rows_in_order, 6);
    levels.rows.offsets = OffsetBuffer::Int32(ScalarBuffer::from(vec![0, 2, 1, 2, 0, 1, 2]));
    assert_eq!(StrokeChunk::of_levels(levels).unwrap().rows_in_order, 1);
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
