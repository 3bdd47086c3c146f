//! The metadata at the end of a file, checked before anything trusts it.
//!
//! Readers of Parquet allocate memory and recurse as the metadata says, and some of them abort the process if it is
//! inconsistent.

use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;

use parquet::errors::ParquetError;
use parquet::file::metadata::{
    ColumnChunkMetaData, LevelHistogram, ParquetMetaData, ParquetMetaDataReader, RowGroupMetaData,
};

use super::shapes;
use super::thrift::{Reader, STRUCT};
use crate::error::{Result, mismatch, text};

/// The length of the metadata, and the 4 magic bytes.
const TAIL: usize = 8;

/// Where the first column may begin, after the magic bytes.
const BEGIN: u64 = 4;

/// Maximum size of the metadata: some 600,000 columns of row groups. With PyArrow, memory for it may be 90 times as much.
pub const MAX_METADATA_BYTES: usize = 64 << 20;

/// Maximum number of levels of nested columns.
const MAX_NESTING: usize = 64;

/// An empty list of structs, encoded.
const NO_STRUCTS: u8 = STRUCT;

/// Bytes of a number and its share of the lists around it.
const VALUE_BYTES: u64 = 8;

/// Checked metadata: all columns lie within the file and do not overlap.
pub struct Footer {
    metadata: ParquetMetaData,
    /// Where the metadata begins in the file.
    begin: u64,
}

/// A row group, as the footer describes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowGroup {
    /// Number of rows.
    pub rows: u64,
    /// Approximate size of its columns in memory.
    pub bytes: u64,
    /// Whether the start of every column is known. Some writers omit the offset of a dictionary.
    pub has_beginnings: bool,
}

impl Footer {
    /// Reads the footer of a file.
    ///
    /// # Errors
    /// When the file cannot be read or is not a Parquet file, or as in [`Footer::parse`].
    pub fn read(file: &File) -> Result<Self> {
        let size = file.metadata()?.len();
        let mut tail = [0; TAIL];
        let end = size.checked_sub(TAIL as u64).ok_or_else(|| mismatch("the file is too short".into()))?;
        file.read_exact_at(&mut tail, end)?;
        let (length, magic) = tail.split_at(4);
        if magic != b"PAR1" {
            return Err(mismatch("its last bytes are not PAR1".into()));
        }
        let length = u32::from_le_bytes([length[0], length[1], length[2], length[3]]);
        let begin = end
            .checked_sub(length.into())
            .ok_or_else(|| mismatch("its footer would be longer than the file".into()))?;
        check_size(length as usize)?;
        let mut bytes = vec![0; length as usize];
        file.read_exact_at(&mut bytes, begin)?;
        check_structure(&bytes)?;
        Footer::decode(&bytes, begin)
    }

    /// Checks the metadata of a file of `size` bytes, without the last 8 bytes of the file. Key-value metadata is left
    /// out, as it may not be UTF-8.
    ///
    /// # Errors
    /// When the metadata is damaged, encrypted, or inconsistent with itself or the size.
    pub fn parse(bytes: &[u8], size: u64) -> Result<Self> {
        let end = size.checked_sub(bytes.len() as u64 + TAIL as u64);
        let end = end.ok_or_else(|| mismatch("its footer would be longer than the file".into()))?;
        check_size(bytes.len())?;
        match check_structure(bytes)? {
            Some(texts) => Footer::decode(&[&bytes[..texts.start], &[NO_STRUCTS], &bytes[texts.end..]].concat(), end),
            None => Footer::decode(bytes, end),
        }
    }

    fn decode(bytes: &[u8], end: u64) -> Result<Self> {
        let metadata = ParquetMetaDataReader::decode_metadata(bytes)?;
        check(&metadata, end)?;
        Ok(Footer { metadata, begin: end })
    }

    /// The row groups, in order.
    #[must_use]
    pub fn row_groups(&self) -> Vec<RowGroup> {
        let groups = self.metadata.row_groups().iter().map(|group| RowGroup {
            rows: group.num_rows().unsigned_abs(),
            bytes: group.columns().iter().map(decoded_bytes).fold(0, u64::saturating_add),
            has_beginnings: group.columns().iter().all(|column| column.dictionary_page_offset() != Some(0)),
        });
        groups.collect()
    }

    /// Bytes between the last that the metadata describes and the metadata itself. Where another file lies before a
    /// file, these are as many as the other has.
    #[must_use]
    pub fn bytes_before_metadata(&self) -> u64 {
        let columns = self.metadata.row_groups().iter().flat_map(RowGroupMetaData::columns);
        let ends = columns.flat_map(|column| {
            let filter = column.bloom_filter_offset().zip(column.bloom_filter_length());
            let filter =
                filter.map(|(begin, length)| begin.unsigned_abs().saturating_add(length.unsigned_abs().into()));
            let indexes = [column.column_index_range(), column.offset_index_range()];
            [place(column).end, filter.unwrap_or(0)]
                .into_iter()
                .chain(indexes.into_iter().flatten().map(|range| range.end))
        });
        self.begin.saturating_sub(ends.fold(BEGIN, u64::max))
    }

    pub(crate) fn metadata(&self) -> &ParquetMetaData {
        &self.metadata
    }
}

/// Where a column lies in the file. The range has been checked.
pub(crate) fn place(column: &ColumnChunkMetaData) -> Range<u64> {
    let begin = column.dictionary_page_offset().filter(|offset| *offset > 0).unwrap_or(column.data_page_offset());
    let begin = begin.unsigned_abs();
    begin..begin.saturating_add(column.compressed_size().unsigned_abs())
}

fn decoded_bytes(column: &ColumnChunkMetaData) -> u64 {
    let values = VALUE_BYTES.saturating_mul(column.num_values().unsigned_abs());
    let texts = column.unencoded_byte_array_data_bytes().unwrap_or(0).unsigned_abs();
    values.saturating_add(texts).max(column.uncompressed_size().unsigned_abs())
}

fn check_size(size: usize) -> Result<()> {
    if size > MAX_METADATA_BYTES {
        return Err(mismatch(format!(
            "its metadata has {size} bytes; at most {MAX_METADATA_BYTES} are read. Write fewer and larger row groups"
        )));
    }
    Ok(())
}

/// Follows the encoding from the first to the last byte without building anything. Returns the range of the key-value
/// metadata.
fn check_structure(bytes: &[u8]) -> Result<Option<Range<usize>>> {
    shapes::check(&mut Reader::new(bytes), &shapes::FILE)?;
    let mut texts = None;
    Reader::new(bytes).fields(|reader, number, kind| {
        match number {
            2 => check_schema(reader)?,
            5 => {
                let begin = bytes.len() - reader.left();
                reader.skip(kind)?;
                texts = Some(begin..bytes.len() - reader.left());
            }
            8 => return Err(mismatch("it is encrypted, which is not supported".into())),
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    Ok(texts)
}

/// Makes sure that each column has a name, that each group of columns has the number of members that it claims, and that
/// groups are not nested too deep.
fn check_schema(reader: &mut Reader<'_>) -> Result<()> {
    let (size, _) = reader.list()?;
    let mut missing: Vec<usize> = Vec::new();
    for index in 0..size {
        let mut members = 0;
        let mut is_named = false;
        reader.fields(|reader, number, _| {
            is_named |= number == 4;
            let found = number == 5;
            if found {
                members = reader.integer()?;
            }
            Ok(found)
        })?;
        if !is_named {
            return Err(mismatch("its schema has a column without a name".into()));
        }
        let left = size - index - 1;
        let fitting = usize::try_from(members).ok().filter(|members| *members <= left);
        let members = fitting.ok_or_else(|| {
            mismatch(format!("a group of columns claims {members} members, but {left} columns are left"))
        })?;
        while missing.last() == Some(&0) {
            missing.pop();
        }
        if let Some(parent) = missing.last_mut() {
            *parent -= 1;
        }
        if members > 0 {
            missing.push(members);
        }
        if missing.len() > MAX_NESTING {
            return Err(mismatch(format!("its columns are nested more than {MAX_NESTING} levels deep")));
        }
    }
    Ok(())
}

fn check(metadata: &ParquetMetaData, end: u64) -> Result<()> {
    let mut places: Vec<Range<u64>> = Vec::new();
    let mut rows: i64 = 0;
    for (number, group) in metadata.row_groups().iter().enumerate() {
        rows = rows.saturating_add(non_negative(group.num_rows(), "a number of rows")?);
        for column in group.columns() {
            check_column(column, end).map_err(|error| of_column(error, number, column))?;
            places.push(place(column));
        }
    }
    if rows != metadata.file_metadata().num_rows() {
        let said = metadata.file_metadata().num_rows();
        return Err(mismatch(format!("the footer says {said} rows, but its row groups have {rows}")));
    }
    places.retain(|place| !place.is_empty());
    places.sort_unstable_by_key(|place| place.start);
    match places.windows(2).find(|pair| pair[1].start < pair[0].end) {
        Some(pair) => Err(mismatch(format!("two columns overlap at byte {}", pair[1].start))),
        None => Ok(()),
    }
}

fn check_column(column: &ColumnChunkMetaData, end: u64) -> Result<()> {
    non_negative(column.num_values(), "a number of values")?;
    non_negative(column.uncompressed_size(), "a size in memory")?;
    non_negative(column.compressed_size(), "a size")?;
    non_negative(column.unencoded_byte_array_data_bytes().unwrap_or(0), "a size of texts")?;
    non_negative(column.data_page_offset(), "an offset")?;
    let dictionary = non_negative(column.dictionary_page_offset().unwrap_or(0), "an offset")?;
    if column.file_path().is_some() {
        return Err(mismatch("its data is in another file, which is not supported".into()));
    }
    let place = place(column);
    if dictionary > column.data_page_offset() && column.num_values() > 0 {
        return Err(mismatch("its dictionary begins after its data".into()));
    }
    if place.end > end || (place.start < BEGIN && !place.is_empty()) {
        let Range { start, end: stop } = place;
        return Err(mismatch(format!(
            "its pages would be at bytes {start} to {stop}, but the data is at bytes {BEGIN} to {end}"
        )));
    }
    let descriptor = column.column_descr();
    let levels = [
        (column.repetition_level_histogram(), descriptor.max_rep_level()),
        (column.definition_level_histogram(), descriptor.max_def_level()),
    ];
    if levels.into_iter().any(|(counts, most)| !fits(counts, most)) {
        return Err(mismatch("its level statistics do not match its type".into()));
    }
    Ok(())
}

fn fits(counts: Option<&LevelHistogram>, most: i16) -> bool {
    counts.is_none_or(|counts| counts.is_empty() || counts.len() == usize::from(most.unsigned_abs()) + 1)
}

fn non_negative(number: i64, what: &str) -> Result<i64> {
    if number < 0 { Err(mismatch(format!("{what} is negative: {number}"))) } else { Ok(number) }
}

/// The error with the name of the column. Errors of the operating system stay unchanged.
pub(crate) fn of_column(error: ParquetError, group: usize, column: &ColumnChunkMetaData) -> ParquetError {
    match error {
        ParquetError::External(_) => error,
        other => mismatch(format!("row group {group}, column {}: {}", column.column_path().string(), text(&other))),
    }
}
