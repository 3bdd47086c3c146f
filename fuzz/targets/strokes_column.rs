//! Columns of strokes of Parquet files: an error, or rows whose offsets rise and fit, in memory that the pages warrant.

#![no_main]

use std::cell::RefCell;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use libfuzzer_sys::arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use parquet::basic::Compression;
use parquet::file::metadata::{
    ColumnChunkMetaData, FileMetaData, ParquetMetaDataBuilder, ParquetMetaDataWriter, RowGroupMetaData,
};
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::SchemaDescriptor;
use penpal_fuzz::check;
use penpal_parquet::{Bytes, Decompress, Footer, StrokeRows, Values};

/// Columns, as Parquet's text has them: all levels may be null, or only some of them.
const COLUMNS: [&str; 4] = [
    "optional group s (LIST) { repeated group list { optional group element { optional float x; optional float y; } } }",
    "required group s (LIST) { repeated group list { required group element { required double x; required double y; } } }",
    "optional group s (LIST) { repeated group list { optional group element { optional group points (LIST) { \
        repeated group list { required group element { required float x; required float y; } } } } } }",
    "optional group s (LIST) { repeated group list { required group element (LIST) { repeated group list { \
        optional group element (LIST) { repeated group list { optional group element { \
            optional double x; required double y; } } } } } } }",
];

/// The first bytes of a file.
const MAGIC: &[u8] = b"PAR1";

/// Rows that the footer claims at most, and values of a page.
const MAX_ROWS: u32 = 4000;
const MAX_VALUES: u32 = 1 << 18;

/// Points of a row that are read however few are wanted.
const MAX_OF_A_ROW: usize = 4 << 20;

/// Bytes of decompressed pages that may be held at once, whatever they hold, and for each value.
const HELD_BYTES: usize = 160 << 20;
const VALUE_BYTES: usize = 16;

thread_local! {
    static FILE: RefCell<File> = RefCell::new(unnamed().expect("there is a folder for temporary files"));
}

/// Bytes of decompressed pages that are held.
static HELD: AtomicUsize = AtomicUsize::new(0);

fuzz_target!(|data: &[u8]| {
    FILE.with_borrow(|file| execute(file, data)).expect("inputs never run out of numbers");
});

/// A file without a name, in memory where there is such a folder.
fn unnamed() -> std::io::Result<File> {
    let memory = std::path::PathBuf::from("/dev/shm");
    let folder = if memory.is_dir() { memory } else { std::env::temp_dir() };
    let path = folder.join(format!("strokes_column_{}", std::process::id()));
    let file = File::options().read(true).write(true).create(true).truncate(true).open(&path)?;
    std::fs::remove_file(path)?;
    Ok(file)
}

fn execute(file: &File, data: &[u8]) -> Result<()> {
    let mut input = Unstructured::new(data);
    let column = COLUMNS[usize::from(input.arbitrary::<u8>()?) % COLUMNS.len()];
    let ways: u8 = input.arbitrary()?;
    let (is_compressed, is_raw, is_same) = (ways & 1 != 0, ways & 6 == 6, ways & 8 != 0);
    let rows = if ways & 16 != 0 { input.arbitrary::<u32>()? % MAX_ROWS } else { MAX_ROWS };
    let (step, points) = (usize::from(input.arbitrary::<u8>()?), usize::from(input.arbitrary::<u16>()?));
    let x = if is_raw { raw(&mut input)? } else { pages(&mut input, is_compressed)? };
    let y = match (is_same, is_raw) {
        (true, _) => x.clone(),
        (false, true) => raw(&mut input)?,
        (false, false) => pages(&mut input, is_compressed)?,
    };
    let most_held = HELD_BYTES + VALUE_BYTES * (x.1 + y.1);
    let Some(footer) = footer(file, column, is_compressed, rows, [x, y]) else { return Ok(()) };
    let whole = read(file, &footer, usize::MAX, usize::MAX >> 8, most_held);
    let stepped = read(file, &footer, step, points, most_held);
    if let (Some(whole), Some(stepped)) = (whole, stepped) {
        check!(whole == stepped, "in steps of {step} rows, others come: {whole:?} {stepped:?}");
    }
    Ok(())
}

/// Any bytes as the pages of a coordinate, and the number of values that the footer claims.
fn raw(input: &mut Unstructured) -> Result<(Vec<u8>, usize)> {
    let values = input.arbitrary::<u16>()?.into();
    let size = input.arbitrary::<u8>()?.into();
    Ok((input.bytes(input.len().min(size))?.to_vec(), values))
}

/// Pages with headers that tell their sizes, and the number of their values.
fn pages(input: &mut Unstructured, is_compressed: bool) -> Result<(Vec<u8>, usize)> {
    let (mut bytes, mut total) = (Vec::new(), 0);
    for _ in 0..input.arbitrary::<u8>()? % 32 {
        let (kind, values): (u8, u8) = (input.arbitrary()?, input.arbitrary()?);
        let values = if kind & 64 == 0 { values.into() } else { input.arbitrary::<u32>()? % MAX_VALUES };
        let part = |input: &mut Unstructured| -> Result<Vec<u8>> {
            let size = usize::from(input.arbitrary::<u8>()? % 32);
            Ok(input.bytes(input.len().min(size))?.to_vec())
        };
        let (repetition, definition, numbers) = (part(input)?, part(input)?, part(input)?);
        let encoding = [0, 8, 9, 2][usize::from(kind >> 4 & 3)];
        let sized = |levels: &[u8]| [&(levels.len() as u32).to_le_bytes(), levels].concat();
        let (levels, content) = match kind & 3 {
            0 => (Vec::new(), numbers),
            1 | 2 => (Vec::new(), [sized(&repetition), sized(&definition), numbers].concat()),
            _ => ([&repetition[..], &definition[..]].concat(), numbers),
        };
        let (content, decoded) = if is_compressed {
            let size = if kind & 128 == 0 { content.len() } else { 1 << exponent(input.arbitrary()?) };
            ([varint(size as u64), content].concat(), size)
        } else {
            let size = content.len();
            (content, size)
        };
        let sizes = [(levels.len() + decoded) as i64, (levels.len() + content.len()) as i64];
        let values = i64::from(values);
        let (number, described) = match kind & 3 {
            0 => (7, vec![(1, values), (2, 0)]),
            1 | 2 => (5, vec![(1, values), (2, encoding), (3, 3), (4, 3)]),
            _ => {
                let sizes = [definition.len() as i64, repetition.len() as i64];
                (8, vec![(1, values), (2, 0), (3, 0), (4, encoding), (5, sizes[0]), (6, sizes[1])])
            }
        };
        if kind & 3 != 0 {
            total += values as usize;
        }
        let page = [2, 0, 0, 3][usize::from(kind & 3)];
        bytes.extend(fields(&[(1, page), (2, sizes[0]), (3, sizes[1])]));
        bytes.push((number - 3) << 4 | 12);
        bytes.extend(fields(&described));
        bytes.extend([0, 0]);
        bytes.extend(levels);
        bytes.extend(content);
    }
    Ok((bytes, total))
}

/// Few pages are large, as these take most of the time.
fn exponent(number: u8) -> u8 {
    number % if number < 240 { 14 } else { 25 }
}

/// Fields of Thrift's compact encoding: numbers of 32 bits.
fn fields(fields: &[(u8, i64)]) -> Vec<u8> {
    let mut before = 0;
    let mut bytes = Vec::new();
    for &(number, value) in fields {
        bytes.push((number - before) << 4 | 5);
        bytes.extend(varint((value << 1) as u64));
        before = number;
    }
    bytes
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

/// Writes the pages of both coordinates into the file. `None` if the footer is refused.
fn footer(file: &File, column: &str, is_compressed: bool, rows: u32, axes: [(Vec<u8>, usize); 2]) -> Option<Footer> {
    let schema = parse_message_type(&format!("message schema {{ {column} }}")).expect("the schema is right");
    let schema = Arc::new(SchemaDescriptor::new(Arc::new(schema)));
    let mut group = RowGroupMetaData::builder(schema.clone()).set_num_rows(rows.into());
    let mut place = MAGIC.len();
    for (index, (bytes, values)) in axes.into_iter().enumerate() {
        file.write_all_at(&bytes, place as u64).expect("there is room");
        let size = bytes.len() as i64;
        let compression = if is_compressed { Compression::SNAPPY } else { Compression::UNCOMPRESSED };
        let column = ColumnChunkMetaData::builder(schema.column(index))
            .set_compression(compression)
            .set_num_values(values as i64)
            .set_total_compressed_size(size)
            .set_total_uncompressed_size(size)
            .set_data_page_offset(place as i64);
        group = group.add_column_metadata(column.build().expect("the column is complete"));
        place += bytes.len();
    }
    let described = FileMetaData::new(1, rows.into(), None, None, schema, None);
    let group = group.build().expect("the row group is complete");
    let metadata = ParquetMetaDataBuilder::new(described).add_row_group(group).build();
    let mut bytes = Vec::new();
    ParquetMetaDataWriter::new(&mut bytes, &metadata).finish().expect("memory takes all");
    let metadata = &bytes[..bytes.len() - 8];
    Footer::parse(metadata, (place + bytes.len()) as u64).ok()
}

/// Reads all rows: their number and the bits of the coordinates. `None` after an error.
fn read(
    file: &File,
    footer: &Footer,
    rows: usize,
    points: usize,
    most_held: usize,
) -> Option<(usize, Vec<u64>, Vec<u64>)> {
    let decompress: Decompress = Arc::new(move |_, bytes, size| {
        let held = HELD.fetch_add(size, Ordering::Relaxed) + size;
        check!(held <= most_held, "{held} bytes of decompressed pages are held, more than {most_held}");
        let content = if bytes.len() > 4 { &bytes[1..] } else { &[0] };
        let mut decompressed = vec![0; size];
        // The rest are zeros, as a real file of few bytes would have them.
        let count = content.len().min(size);
        decompressed[..count].copy_from_slice(&content[..count]);
        Ok(Bytes::from_owner(Held(decompressed)))
    });
    let mut reader = footer.strokes(file.try_clone().ok()?, 0, 0, decompress).ok()?;
    let (mut total, mut x, mut y) = (0, Vec::new(), Vec::new());
    loop {
        let found = reader.read(rows, points).ok()?;
        check_rows(&found, rows, points);
        if found.rows == 0 {
            return Some((total, x, y));
        }
        total += found.rows;
        x.extend(numbers(&found.axes[0].0));
        y.extend(numbers(&found.axes[1].0));
    }
}

struct Held(Vec<u8>);

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        HELD.fetch_sub(self.0.len(), Ordering::Relaxed);
    }
}

/// Checks that the buffers are those of Arrow arrays.
fn check_rows(found: &StrokeRows, rows: usize, points: usize) {
    let mut length = found.rows;
    check!(length <= rows.max(1), "{length} rows, not {rows}");
    for (offsets, bits) in &found.levels {
        check_bits(bits.as_deref(), length);
        if let Some(offsets) = offsets {
            check!(offsets.len() == length + 1 && offsets[0] == 0, "offsets of {length} lists: {offsets:?}");
            check!(offsets.is_sorted(), "offsets fall: {offsets:?}");
            length = *offsets.last().expect("there is one") as usize;
        }
    }
    check!(length <= points.saturating_add(MAX_OF_A_ROW), "{length} points, not {points}");
    for (values, bits) in &found.axes {
        let numbers = numbers(values);
        check!(numbers.len() == length, "{} numbers of {length} points", numbers.len());
        check_bits(bits.as_deref(), length);
        if let Some(bits) = bits {
            let nulls = (0..length).filter(|index| bits[index / 8] >> (index % 8) & 1 == 0);
            check!(nulls.map(|index| numbers[index]).all(|bits| bits == 0), "a null is not 0: {numbers:?}");
        }
    }
}

fn check_bits(bits: Option<&[u8]>, length: usize) {
    if let Some(bits) = bits {
        check!(bits.len() == length.div_ceil(8), "{} bytes of bits for {length} items", bits.len());
        let ends = length % 8 == 0 || bits[length / 8] >> (length % 8) == 0;
        check!(ends, "bits after the last of {length} items");
    }
}

fn numbers(values: &Values) -> Vec<u64> {
    match values {
        Values::Float32(numbers) => numbers.iter().map(|number| number.to_bits().into()).collect(),
        Values::Float64(numbers) => numbers.iter().map(|number| number.to_bits()).collect(),
    }
}
