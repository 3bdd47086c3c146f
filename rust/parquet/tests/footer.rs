//! A footer is accepted only if it is consistent with the file.

mod common;

use std::fs::File;
use std::path::Path;

use common::{folder, numbers};
use penpal_parquet::{Footer, RowGroup, text};

/// The metadata of a file, and its size.
fn metadata(path: &Path) -> (Vec<u8>, u64) {
    let content = std::fs::read(path).unwrap();
    let (rest, end) = content.split_at(content.len() - 8);
    let length = u32::from_le_bytes(end[..4].try_into().unwrap()) as usize;
    (rest[rest.len() - length..].to_vec(), content.len() as u64)
}

#[test]
fn row_groups_are_described() {
    let path = numbers(&folder("described"), "a", &[&[1], &[2, 3, 4]]);
    let footer = Footer::read(&File::open(&path).unwrap()).unwrap();
    let groups = footer.row_groups();
    assert_eq!(groups.iter().map(|group| group.rows).collect::<Vec<_>>(), [1, 3]);
    assert!(groups.iter().all(|RowGroup { rows, bytes, has_beginnings }| *bytes >= 8 * rows && *has_beginnings));
}

#[test]
fn a_damaged_footer_is_an_error_or_still_fits_the_file() {
    let path = numbers(&folder("damaged"), "a", &[&[1], &[2, 3, 4]]);
    let (metadata, size) = metadata(&path);
    for place in 0..metadata.len() {
        for byte in 0..=255 {
            let mut damaged = metadata.clone();
            damaged[place] = byte;
            if let Ok(footer) = Footer::parse(&damaged, size) {
                assert!(footer.row_groups().iter().all(|group| group.rows <= 4));
            }
        }
        assert!(Footer::parse(&metadata[..place], size).is_err());
    }
}

#[test]
fn values_of_another_type_in_the_schema_are_an_error() {
    let path = numbers(&folder("types"), "a", &[&[1]]);
    let (metadata, size) = metadata(&path);
    // Its type, its repetition and its name, each after the number and the type of the field.
    let column = [0x15, 4, 0x25, 0, 0x18, 1, b'a'];
    let place = metadata.windows(column.len()).position(|bytes| bytes == column).unwrap();
    for field in [place, place + 2] {
        let mut damaged = metadata.clone();
        damaged[field] ^= 1; // 16 bits instead of 32.
        let error = Footer::parse(&damaged, size).err().unwrap();
        assert!(text(&error).ends_with(" of SchemaElement has a value of another type than it must have"), "{error}");
    }
}

#[test]
fn pages_that_are_whole_pass_and_others_do_not() {
    let path = numbers(&folder("pages"), "a", &[&[1], &[2, 3, 4]]);
    let footer = Footer::read(&File::open(&path).unwrap()).unwrap();
    for group in 0..2 {
        assert_eq!(footer.check_pages(&File::open(&path).unwrap(), group).unwrap(), 0);
    }
    assert!(footer.check_pages(&File::open(&path).unwrap(), 2).is_err());
    let mut content = std::fs::read(&path).unwrap();
    content[4..12].fill(0xff);
    std::fs::write(&path, content).unwrap();
    let error = footer.check_pages(&File::open(&path).unwrap(), 0).unwrap_err();
    assert!(text(&error).starts_with("row group 0, column a: the page at byte 4: "), "{error}");
}
