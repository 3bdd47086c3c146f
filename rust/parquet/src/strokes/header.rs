//! What the header of a page says that is needed to decode it.

use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;

use crate::checks::{Reader, STRUCT};
use crate::error::{Result, mismatch};

/// Bytes that are read to find a header. Headers with long statistics are longer, and not read here.
const HEADER_BYTES: usize = 256;

/// What a page holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// Values of a dictionary.
    Dictionary,
    /// Levels and values, compressed together.
    Data,
    /// Levels, of which the header says the size, and values, which may be compressed.
    DataV2 { definition_bytes: usize, repetition_bytes: usize, is_compressed: bool },
}

#[derive(Clone, Copy, Debug)]
pub struct Header {
    pub content: Content,
    pub size: usize,
    pub decoded_size: usize,
    pub checksum: Option<u32>,
    /// Number of values, null or not.
    pub values: usize,
    pub encoding: i64,
}

/// Reads the header of a page. Also returns the size of the header.
pub fn read_header(file: &File, place: Range<u64>) -> Result<(Header, u64)> {
    let size = usize::try_from(place.end - place.start).unwrap_or(usize::MAX).min(HEADER_BYTES);
    let mut bytes = [0; HEADER_BYTES];
    let bytes = &mut bytes[..size];
    file.read_exact_at(bytes, place.start)?;
    let mut reader = Reader::new(bytes);
    let header = header(&mut reader)?;
    Ok((header, (size - reader.left()) as u64))
}

fn header(reader: &mut Reader<'_>) -> Result<Header> {
    let (mut kind, mut decoded_size, mut size, mut checksum) = (None, None, None, None);
    let mut fields = [None; 9];
    let mut described = None;
    let mut is_compressed = true;
    reader.fields(|reader, number, code| {
        match (number, code) {
            (1, 5) => kind = Some(reader.integer()?),
            (2, 5) => decoded_size = Some(count(reader)?),
            (3, 5) => size = Some(count(reader)?),
            (4, 5) => checksum = Some(reader.integer()? as u32),
            (5..=8, STRUCT) => {
                if described.replace(number).is_some() {
                    return Err(mismatch("a page is of several kinds".into()));
                }
                reader.fields(|reader, number, code| {
                    match (number, code) {
                        (1..=8, 5) => fields[number as usize] = Some(reader.integer()?),
                        (7, 1 | 2) => is_compressed = code == 1,
                        _ => return Ok(false),
                    }
                    Ok(true)
                })?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    let field = |number: usize| fields[number].ok_or_else(|| mismatch("the header of a page is not complete".into()));
    let counted = |number: usize| usize::try_from(field(number)?).map_err(|_| negative());
    let content = match (kind, described) {
        (Some(0), Some(5)) => {
            const RLE: i64 = 3;
            if field(3)? != RLE || field(4)? != RLE {
                return Err(mismatch("its levels are encoded in an old way".into()));
            }
            Content::Data
        }
        (Some(2), Some(7)) => Content::Dictionary,
        (Some(3), Some(8)) => {
            // The numbers of nulls and of rows.
            counted(2).and(counted(3))?;
            Content::DataV2 { definition_bytes: counted(5)?, repetition_bytes: counted(6)?, is_compressed }
        }
        _ => return Err(mismatch("a page of another kind".into())),
    };
    let encoding = field(if matches!(content, Content::DataV2 { .. }) { 4 } else { 2 })?;
    let missing = || mismatch("a page does not say its size".into());
    let (size, decoded_size) = (size.ok_or_else(missing)?, decoded_size.ok_or_else(missing)?);
    Ok(Header { content, size, decoded_size, checksum, values: counted(1)?, encoding })
}

fn count(reader: &mut Reader<'_>) -> Result<usize> {
    usize::try_from(reader.integer()?).map_err(|_| negative())
}

fn negative() -> parquet::errors::ParquetError {
    mismatch("a size is negative".into())
}
