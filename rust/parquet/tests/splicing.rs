//! Files that do not fit together are refused, and errors of the operating system are kept.

mod common;

use std::fs::File;
use std::io;
use std::ops::Range;
use std::path::Path;

use common::{folder, numbers};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::RowAccessor;
use penpal_parquet::{ParquetError, Piece, append_columns, appended_places, concatenate};

fn rows(path: &Path) -> Vec<Vec<i64>> {
    let reader = SerializedFileReader::new(File::open(path).unwrap()).unwrap();
    let rows = reader.get_row_iter(None).unwrap().map(Result::unwrap);
    rows.map(|row| (0..row.len()).map(|index| row.get_long(index).unwrap()).collect()).collect()
}

fn piece(source: &Path, row_groups: Range<usize>, added: &Path) -> Piece {
    Piece { source: source.into(), row_groups, added: added.into() }
}

#[test]
fn columns_are_added_to_some_row_groups() {
    let folder = folder("added");
    let source = numbers(&folder, "a", &[&[1], &[2, 3], &[4]]);
    let added = numbers(&folder, "b", &[&[20, 30], &[40]]);
    let output = folder.join("out.parquet");
    append_columns(&[piece(&source, 1..3, &added)], vec![("key".into(), "value".into())], &output).unwrap();
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
    append_columns(&[piece(&source, 0..1, &added)], Vec::new(), &output).unwrap();
    assert_eq!(rows(&output), [[5], [6]]);
}

#[test]
fn row_groups_that_do_not_match_are_refused() {
    let folder = folder("mismatched");
    let source = numbers(&folder, "a", &[&[1, 2]]);
    let output = folder.join("out.parquet");
    for (groups, added) in [(0..1, [1].as_slice()), (0..0, &[1, 2]), (0..2, &[1, 2])] {
        let added = numbers(&folder, "b", &[added]);
        assert!(append_columns(&[piece(&source, groups, &added)], Vec::new(), &output).is_err());
    }
}

#[test]
fn pieces_of_several_files_follow_one_another() {
    let folders = ["pieces-1", "pieces-2", "pieces-3"].map(folder);
    let [one, two, three] = &folders;
    let [first, second] = [one, two].map(|folder| numbers(folder, "a", &[&[1], &[2, 3]]));
    let added = [numbers(one, "b", &[&[10]]), numbers(three, "b", &[&[20, 30]]), numbers(two, "b", &[&[7], &[8, 9]])];
    let pieces = [piece(&first, 0..1, &added[0]), piece(&first, 1..2, &added[1]), piece(&second, 0..2, &added[2])];
    let output = one.join("out.parquet");
    append_columns(&pieces, Vec::new(), &output).unwrap();
    assert_eq!(rows(&output), [[1, 10], [2, 20], [3, 30], [1, 7], [2, 8], [3, 9]]);

    let written = std::fs::read(&output).unwrap();
    let copied = appended_places(&pieces)
        .unwrap()
        .into_iter()
        .flat_map(|(path, place)| std::fs::read(path).unwrap()[place.start as usize..place.end as usize].to_vec());
    assert!(written[4..].starts_with(&copied.collect::<Vec<u8>>()));

    let other = numbers(one, "c", &[&[20, 30]]);
    let others = [piece(&first, 0..1, &added[0]), piece(&first, 1..2, &other)];
    assert!(append_columns(&others, Vec::new(), &output).is_err(), "a and b, then a and c");
    assert!(append_columns(&[], Vec::new(), &output).is_err());
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
