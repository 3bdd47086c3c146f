//! The pages of a column, checked without decoding them.

use std::fs::File;
use std::ops::Range;

use parquet::basic::Type as PhysicalType;
use parquet::file::metadata::ColumnChunkMetaData;

use super::footer::{Footer, of_column, place};
use super::page_header::{Content, PageHeader};
use crate::error::{Result, mismatch};

/// An encoding of texts that repeat the start of the previous text.
const DELTA_BYTE_ARRAY: i32 = 7;

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
        let (header, size) = PageHeader::read(file, position..end)?;
        position += size;
        let left = end - position;
        if header.size as u64 > left {
            return Err(mismatch(format!(
                "the page at byte {position} claims {} bytes, but {left} are left",
                header.size
            )));
        }
        position += header.size as u64;
        let is_data = header.content != Content::Dictionary;
        if is_data {
            values = values.saturating_add(header.values as u64);
        }
        // Together, such values can be longer than the page.
        if !is_data || header.encoding == DELTA_BYTE_ARRAY {
            largest = largest.max(header.decoded_size as u64);
        }
    }
    if values != column.num_values().unsigned_abs() {
        return Err(mismatch(format!("its pages hold {values} values, not {}", column.num_values())));
    }
    Ok(if column.column_type() == PhysicalType::BYTE_ARRAY { largest } else { 0 })
}
