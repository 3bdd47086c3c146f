//! The pages of a column, checked without decoding them.

use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;

use parquet::basic::Type as PhysicalType;
use parquet::file::metadata::ColumnChunkMetaData;

use super::footer::{Footer, of_column, place};
use super::thrift::{Reader, STRUCT};
use crate::error::{Result, mismatch, text};

/// Bytes that are read to find the header of a page: at first, and at most.
const HEADER_BYTES: usize = 256;
const MAX_HEADER_BYTES: usize = 16 << 20;

/// An encoding of texts that repeat the start of the previous text.
const DELTA_BYTE_ARRAY: i64 = 7;

impl Footer {
    /// Makes sure that the pages of a row group's columns fill their places and hold as many values as the footer says.
    /// Returns the size of the largest page whose values may be repeated any number of times: a dictionary of texts.
    /// Checksums are verified by the reader that decodes the pages.
    ///
    /// # Errors
    /// When the file cannot be read, there is no such row group, or a page is wrong. The error names the row group and the
    /// column.
    pub fn check_pages(&self, file: &File, row_group: usize) -> Result<u64> {
        let group = self.metadata().row_groups().get(row_group);
        let mut largest = 0;
        for column in group.ok_or_else(|| mismatch(format!("there is no row group {row_group}")))?.columns() {
            let texts = check_column(file, column).map_err(|error| of_column(error, row_group, column))?;
            largest = largest.max(texts);
        }
        Ok(largest)
    }
}

fn check_column(file: &File, column: &ColumnChunkMetaData) -> Result<u64> {
    let Range { start: mut position, end } = place(column);
    let mut values: u64 = 0;
    let mut largest = 0;
    while position < end {
        let (header, size) = read_header(file, position..end)?;
        position += size;
        let left = end - position;
        if header.size > left {
            return Err(mismatch(format!(
                "the page at byte {position} claims {} bytes, but {left} are left",
                header.size
            )));
        }
        position += header.size;
        values += header.values;
        if header.repeats {
            largest = largest.max(header.decoded_size);
        }
    }
    if values != column.num_values().unsigned_abs() {
        return Err(mismatch(format!("its pages hold {values} values, not {}", column.num_values())));
    }
    Ok(if column.column_type() == PhysicalType::BYTE_ARRAY { largest } else { 0 })
}

#[derive(Default)]
struct Header {
    size: u64,
    decoded_size: u64,
    /// Number of values of a data page, 0 for a dictionary.
    values: u64,
    /// Whether the values together can be longer than the page.
    repeats: bool,
}

/// Reads the header of a page. Also returns the size of the header.
fn read_header(file: &File, place: Range<u64>) -> Result<(Header, u64)> {
    let most = usize::try_from(place.end - place.start).unwrap_or(usize::MAX).min(MAX_HEADER_BYTES);
    let mut size = HEADER_BYTES.min(most);
    loop {
        let mut bytes = vec![0; size];
        file.read_exact_at(&mut bytes, place.start)?;
        let mut reader = Reader::new(&bytes);
        match header(&mut reader) {
            Ok(header) => return Ok((header, (size - reader.left()) as u64)),
            Err(error) if size == most => {
                return Err(mismatch(format!("the page at byte {}: {}", place.start, text(&error))));
            }
            Err(_) => size = size.saturating_mul(8).min(most),
        }
    }
}

fn header(reader: &mut Reader<'_>) -> Result<Header> {
    let mut header = Header::default();
    reader.fields(|reader, number, kind| {
        match (number, kind) {
            (2, 5) => header.decoded_size = count(reader)?,
            (3, 5) => header.size = count(reader)?,
            (5, STRUCT) => (header.values, header.repeats) = page(reader, 2)?,
            (7, STRUCT) => {
                page(reader, 2)?;
                header.repeats = true;
            }
            (8, STRUCT) => (header.values, header.repeats) = page(reader, 4)?,
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    Ok(header)
}

/// Reads the number of values of a page, and whether its encoding repeats parts of them.
fn page(reader: &mut Reader<'_>, encoding: i64) -> Result<(u64, bool)> {
    let mut values = 0;
    let mut repeats = false;
    reader.fields(|reader, number, kind| {
        match (number, kind) {
            (1, 5) => values = count(reader)?,
            (number, 5) if number == encoding => repeats = reader.integer()? == DELTA_BYTE_ARRAY,
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    Ok((values, repeats))
}

fn count(reader: &mut Reader<'_>) -> Result<u64> {
    let number = reader.integer()?;
    u64::try_from(number).map_err(|_| mismatch(format!("a size is negative: {number}")))
}
