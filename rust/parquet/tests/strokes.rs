//! Columns of strokes are read as they were written, and damaged files are refused.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::basic::Encoding;
use parquet::data_type::FloatType;
use parquet::file::properties::{WriterProperties, WriterVersion};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use penpal_parquet::{Decompress, Footer, ParquetError, Values};

const SCHEMA: &str = "message schema { optional group strokes (LIST) { repeated group list { \
    optional group element { optional group points (LIST) { repeated group list { \
    optional group element { optional float x; optional float y; } } } } } } }";

/// Levels of four rows: [[(0), (1, 2)], null, [], [[null x], null, []]].
const REPETITION: [i16; 8] = [0, 1, 2, 0, 0, 0, 1, 1];
const DEFINITION: [i16; 8] = [7, 7, 7, 0, 1, 6, 3, 4];

/// Writes the rows `times` times.
fn written(name: &str, times: usize, properties: WriterProperties) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("strokes");
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join(name);
    let schema = Arc::new(parse_message_type(SCHEMA).unwrap());
    let mut writer = SerializedFileWriter::new(File::create(&path).unwrap(), schema, Arc::new(properties)).unwrap();
    let mut group = writer.next_row_group().unwrap();
    for axis in 0..2 {
        let numbers: Vec<f32> = (0..3 * times).map(|index| (10 * axis + index % 3) as f32).collect();
        let mut column = group.next_column().unwrap().unwrap();
        let (definition, repetition) = (DEFINITION.repeat(times), REPETITION.repeat(times));
        column.typed::<FloatType>().write_batch(&numbers, Some(&definition), Some(&repetition)).unwrap();
        column.close().unwrap();
    }
    group.close().unwrap();
    writer.close().unwrap();
    path
}

/// Nothing is compressed.
fn never() -> Decompress {
    Arc::new(|_, _, _| Err(ParquetError::General("compressed".into())))
}

/// Everything that is read, as text, in steps of `rows`.
fn read(path: &Path, rows: usize) -> Result<Vec<String>, ParquetError> {
    let footer = Footer::read(&File::open(path)?)?;
    let mut found = Vec::new();
    for group in 0..footer.row_groups().len() {
        let mut reader = footer.strokes(File::open(path)?, group, 0, never())?;
        loop {
            let some = reader.read(rows, usize::MAX)?;
            if some.rows == 0 {
                break;
            }
            found.push(format!("{some:?}"));
        }
    }
    Ok(found)
}

#[test]
fn lists_and_nulls() {
    let path = written("lists.parquet", 1, WriterProperties::builder().build());
    let footer = Footer::read(&File::open(&path).unwrap()).unwrap();
    assert_eq!(footer.stroke_columns(), [(0, 4)]);
    let mut reader = footer.strokes(File::open(&path).unwrap(), 0, 0, never()).unwrap();
    let found = reader.read(9, usize::MAX).unwrap();
    assert_eq!(found.rows, 4);
    let offsets: Vec<_> = found.levels.iter().map(|level| level.0.clone()).collect();
    assert_eq!(offsets, [Some(vec![0, 2, 2, 2, 5]), None, Some(vec![0, 1, 3, 4, 4, 4]), None]);
    let bits: Vec<_> = found.levels.iter().map(|level| level.1.clone()).collect();
    assert_eq!(bits, [Some(vec![0b1101]), None, Some(vec![0b1_0111]), None]);
    let [(Values::Float32(x), x_bits), (Values::Float32(y), y_bits)] = found.axes else { panic!("not float32") };
    assert_eq!((x, y), (vec![0.0, 1.0, 2.0, 0.0], vec![10.0, 11.0, 12.0, 0.0]));
    assert_eq!((x_bits, y_bits), (Some(vec![0b0111]), Some(vec![0b0111])));
    assert_eq!(reader.read(9, usize::MAX).unwrap().rows, 0);
}

#[test]
fn all_ways_of_storing_read_alike() {
    let expected = read(&written("plain.parquet", 500, WriterProperties::builder().build()), 7).unwrap();
    assert_eq!(expected.len(), 286);
    for version in [WriterVersion::PARQUET_1_0, WriterVersion::PARQUET_2_0] {
        for encoding in [None, Some(Encoding::PLAIN), Some(Encoding::BYTE_STREAM_SPLIT)] {
            for page_rows in [3, 400, 100_000] {
                let mut properties = WriterProperties::builder()
                    .set_writer_version(version)
                    .set_write_batch_size(2)
                    .set_data_page_row_count_limit(page_rows)
                    .set_dictionary_enabled(encoding.is_none());
                if let Some(encoding) = encoding {
                    properties = properties.set_encoding(encoding);
                }
                let path = written("way.parquet", 500, properties.build());
                assert_eq!(read(&path, 7).unwrap(), expected, "{version:?} {encoding:?} {page_rows}");
            }
        }
    }
}

#[test]
fn no_damage_is_more_than_an_error() {
    for (name, dictionary) in [("dictionary.parquet", true), ("split.parquet", false)] {
        let properties = WriterProperties::builder().set_dictionary_enabled(dictionary);
        let path = written(name, 20, properties.build());
        let content = std::fs::read(&path).unwrap();
        let file = File::options().write(true).open(&path).unwrap();
        for (place, &right) in content.iter().enumerate().skip(4) {
            for byte in [0, 0x7f, 0xff, right ^ 1, right.wrapping_add(2)] {
                file.write_all_at(&[byte], place as u64).unwrap();
                let _ = read(&path, 9);
            }
            file.write_all_at(&[right], place as u64).unwrap();
        }
    }
}
