//! Pages that no usual writer makes: their memory is bounded, and what a reader must not guess is refused.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parquet::basic::Compression;
use parquet::file::metadata::{
    ColumnChunkMetaData, FileMetaData, ParquetMetaDataBuilder, ParquetMetaDataWriter, RowGroupMetaData,
};
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::SchemaDescriptor;
use penpal_parquet::{Bytes, Decompress, Footer, ParquetError, Values, text};

const SCHEMA: &str = "message schema { optional group strokes (LIST) { repeated group list { \
    optional group element { optional float x; optional float y; } } } }";

/// The definition level of a coordinate that is not null.
const FULL: u8 = 4;

/// Fields of Thrift's compact encoding: numbers of 32 bits.
fn fields(fields: &[(u8, usize)]) -> Vec<u8> {
    let mut before = 0;
    let mut bytes = Vec::new();
    for &(number, value) in fields {
        bytes.push((number - before) << 4 | 5);
        bytes.extend(varint(value << 1));
        before = number;
    }
    bytes
}

fn varint(mut value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

/// A page with the header's fields of its kind.
fn page(kind: usize, described: &[(u8, usize)], decoded_size: usize, content: &[u8]) -> Vec<u8> {
    page_with(kind, &fields(described), decoded_size, content)
}

/// A page with the encoded fields of its kind.
fn page_with(kind: usize, described: &[u8], decoded_size: usize, content: &[u8]) -> Vec<u8> {
    let number = [5, 6, 7, 8][kind];
    let sizes = fields(&[(1, kind), (2, decoded_size), (3, content.len())]);
    [&sizes, &[(number - 3) << 4 | 12][..], described, &[0, 0], content].concat()
}

/// Writes both coordinates with the same pages.
fn written(name: &str, compression: Compression, pages: &[u8], values: i64) -> (File, Footer) {
    written_axes(name, compression, [pages, pages], values)
}

/// Writes each coordinate with its pages.
fn written_axes(name: &str, compression: Compression, pages: [&[u8]; 2], values: i64) -> (File, Footer) {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let file = File::options().read(true).write(true).create(true).truncate(true).open(path).unwrap();
    file.write_all_at(&[b"PAR1", pages[0], pages[1]].concat(), 0).unwrap();
    let schema = Arc::new(SchemaDescriptor::new(Arc::new(parse_message_type(SCHEMA).unwrap())));
    let begins = [4, 4 + pages[0].len()];
    let column = |index: usize| {
        let size = pages[index].len() as i64;
        ColumnChunkMetaData::builder(schema.column(index))
            .set_compression(compression)
            .set_num_values(values)
            .set_total_compressed_size(size)
            .set_total_uncompressed_size(size)
            .set_data_page_offset(begins[index] as i64)
            .build()
            .unwrap()
    };
    let group =
        RowGroupMetaData::builder(schema.clone()).set_num_rows(values).set_column_metadata([0, 1].map(column).into());
    let described = FileMetaData::new(1, values, None, None, schema.clone(), None);
    let metadata = ParquetMetaDataBuilder::new(described).add_row_group(group.build().unwrap()).build();
    let mut bytes = Vec::new();
    ParquetMetaDataWriter::new(&mut bytes, &metadata).finish().unwrap();
    let footer = Footer::parse(&bytes[..bytes.len() - 8], (begins[1] + pages[1].len() + bytes.len()) as u64).unwrap();
    (file, footer)
}

fn read((file, footer): &(File, Footer), decompress: Decompress) -> Result<usize, ParquetError> {
    let mut reader = footer.strokes(file.try_clone()?, 0, 0, decompress)?;
    let mut rows = 0;
    loop {
        let found = reader.read(4096, 1 << 20)?;
        if found.rows == 0 {
            return Ok(rows);
        }
        rows += found.rows;
    }
}

/// The content of a page with one row of one point: the levels, each after its size, and the number.
fn one_row() -> Vec<u8> {
    [&[2, 0, 0, 0, 2, 0][..], &[2, 0, 0, 0, 2, FULL], &1.5f32.to_le_bytes()].concat()
}

/// Decompressed bytes that are counted as long as they are there.
struct Held(Vec<u8>, Arc<AtomicUsize>);

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.1.fetch_sub(self.0.len(), Ordering::Relaxed);
    }
}

#[test]
fn large_pages_of_one_row_are_not_held_together() {
    const SIZE: usize = 8 << 20;
    let index = one_row()[..12].to_vec();
    let content = [varint(SIZE), index].concat();
    let dictionary = page(2, &[(1, 1), (2, 0)], 4, &[varint(4), 1.5f32.to_le_bytes().to_vec()].concat());
    let data = page(0, &[(1, 1), (2, 8), (3, 3), (4, 3)], SIZE, &content).repeat(40);
    let made = written("large_pages.parquet", Compression::SNAPPY, &[dictionary, data].concat(), 40);
    let (held, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let counted = (held.clone(), most.clone());
    let decompress: Decompress = Arc::new(move |_, bytes, size| {
        most.fetch_max(held.fetch_add(size, Ordering::Relaxed) + size, Ordering::Relaxed);
        let content = &bytes[if size == 4 { 1 } else { 4 }..];
        let mut decompressed = content.to_vec();
        decompressed.resize(size, 0);
        // The indices: a run of the first number, of no bits.
        if size > 4 {
            decompressed[12..14].copy_from_slice(&[0, 2]);
        }
        Ok(Bytes::from_owner(Held(decompressed, held.clone())))
    });
    let error = read(&made, decompress).unwrap_err();
    assert_eq!(text(&error), "its pages are large for what they hold");
    let (held, most) = (counted.0.load(Ordering::Relaxed), counted.1.load(Ordering::Relaxed));
    assert!(held == 0 && most < 64 << 20, "{held} {most}");
}

#[test]
fn pages_of_one_row_are_read() {
    let data = page(0, &[(1, 1), (2, 0), (3, 3), (4, 3)], one_row().len(), &one_row()).repeat(40);
    let made = written("small_pages.parquet", Compression::UNCOMPRESSED, &data, 40);
    assert_eq!(read(&made, Arc::new(|_, _, _| unreachable!())).unwrap(), 40);
}

#[test]
fn headers_with_long_statistics_are_read() {
    // Statistics are the field 5: the largest and the smallest value, of any length.
    for size in [1, 100, 1000, 1 << 20] {
        let value = [&varint(size)[..], &vec![0x41; size]].concat();
        let statistics = [&[1 << 4 | 12, 5 << 4 | 8][..], &value, &[1 << 4 | 8], &value, &[0]].concat();
        let described = [fields(&[(1, 1), (2, 0), (3, 3), (4, 3)]), statistics].concat();
        let data = page_with(0, &described, one_row().len(), &one_row()).repeat(3);
        let made = written(&format!("statistics_{size}.parquet"), Compression::UNCOMPRESSED, &data, 3);
        assert_eq!(read(&made, Arc::new(|_, _, _| unreachable!())).unwrap(), 3, "{size}");
        assert_eq!(made.1.check_pages(&made.0, 0).unwrap(), 0, "{size}");
    }
}

/// A page with the points of rows of one point each, after their size, as if they were compressed.
fn rows_of_one(points: &[f32]) -> Vec<u8> {
    let run = |value: u8| [&[2, 0, 0, 0][..], &[2 * points.len() as u8, value]].concat();
    let numbers: Vec<u8> = points.iter().flat_map(|point| point.to_le_bytes()).collect();
    let content = [run(0), run(FULL), numbers].concat();
    let compressed = [varint(content.len()), content.clone()].concat();
    page(0, &[(1, points.len()), (2, 0), (3, 3), (4, 3)], content.len(), &compressed)
}

#[test]
fn y_goes_on_where_its_pages_begin_to_differ_from_those_of_x() {
    let points: Vec<f32> = (0..40).map(|point| point as f32).collect();
    let pages = |sizes: &[usize]| {
        let mut left = &points[..];
        let pages = sizes.iter().map(|&size| rows_of_one(left.split_off(..size).unwrap()));
        pages.collect::<Vec<_>>().concat()
    };
    let (x, y) = (pages(&[5; 8]), pages(&[5, 5, 5, 5, 4, 6, 5, 5]));
    // The reads end within a page, and at its end.
    for rows in [1, 3, 4, 5, 7, 40] {
        let made = written_axes("late.parquet", Compression::SNAPPY, [&x, &y], 40);
        let decompressed = Arc::new(AtomicUsize::new(0));
        let count = decompressed.clone();
        let decompress: Decompress = Arc::new(move |_, bytes, size| {
            count.fetch_add(1, Ordering::Relaxed);
            Ok(Bytes::copy_from_slice(&bytes[bytes.len() - size..]))
        });
        let mut reader = made.1.strokes(made.0.try_clone().unwrap(), 0, 0, decompress).unwrap();
        let mut found = [Vec::new(), Vec::new()];
        loop {
            let read = reader.read(rows, 1 << 20).unwrap();
            if read.rows == 0 {
                break;
            }
            for (all, (values, _)) in found.iter_mut().zip(read.axes) {
                let Values::Float32(values) = values else { panic!("float32 was written") };
                all.extend(values);
            }
        }
        assert_eq!(found, [points.clone(), points.clone()], "{rows}");
        let pages_again = decompressed.load(Ordering::Relaxed) - 16;
        assert!(pages_again <= rows.div_ceil(5), "{rows} rows at a time: {pages_again} pages were decoded twice");
    }
}

#[test]
fn pages_without_values_may_leave_out_what_a_codec_makes_of_nothing() {
    let levels = [2, 0, 2, 0];
    // The second is what PyArrow 17 writes; the third promises five bytes.
    for (index, (rest, is_read)) in [(&[][..], true), (&[0], true), (&[5], false)].into_iter().enumerate() {
        let described = [(1, 1), (2, 1), (3, 1), (4, 0), (5, 2), (6, 2)];
        let data = page(3, &described, levels.len(), &[&levels, rest].concat());
        let made = written(&format!("no_values_{index}.parquet"), Compression::SNAPPY, &data, 1);
        let found = read(&made, Arc::new(|_, _, size| Ok(vec![0; size].into())));
        assert_eq!(found.ok(), is_read.then_some(1), "{rest:?}");
    }
}

#[test]
fn headers_must_be_complete() {
    let content = [&[2, 0, 2, FULL][..], &1.5f32.to_le_bytes()].concat();
    let described = [(1, 1), (2, 0), (3, 1), (4, 0), (5, 2), (6, 2)];
    for missing in 0..=described.len() {
        let mut described = described.to_vec();
        if missing < described.len() {
            described.remove(missing);
        }
        let data = page(3, &described, content.len(), &content);
        let made = written(&format!("header_{missing}.parquet"), Compression::UNCOMPRESSED, &data, 1);
        let found = read(&made, Arc::new(|_, _, _| unreachable!()));
        assert_eq!(found.is_ok(), missing == 6, "{missing}");
    }
}

#[test]
fn dictionaries_of_any_claimed_size_are_refused() {
    let data = page(2, &[(1, 1 << 62), (2, 0)], 0, &[]);
    let made = written("dictionary_size.parquet", Compression::UNCOMPRESSED, &data, 0);
    assert!(read(&made, Arc::new(|_, _, _| unreachable!())).is_err());
}
