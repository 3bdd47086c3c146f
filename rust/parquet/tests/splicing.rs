//! Files that do not fit together are refused, and an operating system's error stays one.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::data_type::Int64Type;
use parquet::file::properties::WriterProperties;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::writer::SerializedFileWriter;
use parquet::record::RowAccessor;
use parquet::schema::parser::parse_message_type;
use penpal_parquet::{ParquetError, append_columns, concatenate};

/// Writes a file with one column of numbers, a row group for each of `groups`.
fn numbers(folder: &Path, column: &str, groups: &[&[i64]]) -> PathBuf {
    let path = folder.join(format!("{column}{}.parquet", groups.len()));
    let schema = parse_message_type(&format!("message schema {{ required int64 {column}; }}")).unwrap();
    let properties = Arc::new(WriterProperties::builder().build());
    let mut writer = SerializedFileWriter::new(File::create(&path).unwrap(), Arc::new(schema), properties).unwrap();
    for values in groups {
        let mut group = writer.next_row_group().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<Int64Type>().write_batch(values, None, None).unwrap();
        column.close().unwrap();
        group.close().unwrap();
    }
    writer.close().unwrap();
    path
}

fn rows(path: &Path) -> Vec<Vec<i64>> {
    let reader = SerializedFileReader::new(File::open(path).unwrap()).unwrap();
    let rows = reader.get_row_iter(None).unwrap().map(Result::unwrap);
    rows.map(|row| (0..row.len()).map(|index| row.get_long(index).unwrap()).collect()).collect()
}

fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

#[test]
fn columns_are_added_to_some_row_groups() {
    let folder = folder("added");
    let source = numbers(&folder, "a", &[&[1], &[2, 3], &[4]]);
    let added = numbers(&folder, "b", &[&[20, 30], &[40]]);
    let output = folder.join("out.parquet");
    append_columns(&source, 1..3, &added, vec![("key".into(), "value".into())], &output).unwrap();
    assert_eq!(rows(&output), [[2, 20], [3, 30], [4, 40]]);
    let reader = SerializedFileReader::new(File::open(&output).unwrap()).unwrap();
    let metadata = reader.metadata().file_metadata().key_value_metadata().unwrap();
    assert_eq!((metadata[0].key.as_str(), metadata[0].value.as_deref()), ("key", Some("value")));
}

#[test]
fn a_column_of_the_same_name_is_replaced() {
    let folder = folder("replaced");
    let added = folder.join("added.parquet");
    std::fs::rename(numbers(&folder, "a", &[&[5, 6]]), &added).unwrap();
    let source = numbers(&folder, "a", &[&[1, 2]]);
    let output = folder.join("out.parquet");
    append_columns(&source, 0..1, &added, Vec::new(), &output).unwrap();
    assert_eq!(rows(&output), [[5], [6]]);
}

#[test]
fn row_groups_that_do_not_match_are_refused() {
    let folder = folder("mismatched");
    let source = numbers(&folder, "a", &[&[1, 2]]);
    let output = folder.join("out.parquet");
    for (groups, added) in [(0..1, [1].as_slice()), (0..0, &[1, 2]), (0..2, &[1, 2])] {
        let added = numbers(&folder, "b", &[added]);
        assert!(append_columns(&source, groups, &added, Vec::new(), &output).is_err());
    }
}

#[test]
fn files_follow_one_another() {
    let folder = folder("concatenated");
    let files = [numbers(&folder, "a", &[&[1], &[2]]), numbers(&folder, "a", &[&[3]])];
    let output = folder.join("out.parquet");
    concatenate(&files, &output).unwrap();
    assert_eq!(rows(&output), [[1], [2], [3]]);
    assert!(concatenate(&[], &output).is_err());
    assert!(concatenate(&[files[0].clone(), numbers(&folder, "b", &[&[1]])], &output).is_err());
}

#[test]
fn an_error_of_the_operating_system_stays_one() {
    let Err(ParquetError::External(error)) = concatenate(&["no/such/file".into()], Path::new("out.parquet")) else {
        panic!("expected an external error");
    };
    assert_eq!(error.downcast_ref::<io::Error>().unwrap().kind(), io::ErrorKind::NotFound);
}
