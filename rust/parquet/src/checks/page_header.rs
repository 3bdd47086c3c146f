//! The header of a page.

use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;

use super::thrift::{INTEGER, Reader, STRUCT};
use crate::error::{Result, mismatch, text};

/// Bytes that are read to find a header: at first, and at most.
const HEADER_BYTES: usize = 256;
const MAX_HEADER_BYTES: usize = 16 << 20;

/// The encoding of levels that the format has had since 2013.
const RLE: i32 = 3;

/// What a page holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// Values of a dictionary.
    Dictionary,
    /// An index, which nobody writes.
    Index,
    /// Levels and values, compressed together.
    Data {
        /// Whether the levels are encoded as newer writers do.
        has_rle_levels: bool,
    },
    /// Levels, of which the header says the size, and values, which may be compressed.
    DataV2 { definition_bytes: usize, repetition_bytes: usize, is_compressed: bool },
}

/// What is read of a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageHeader {
    /// What the page holds.
    pub content: Content,
    /// Size in the file.
    pub size: usize,
    /// Size without compression.
    pub decoded_size: usize,
    pub checksum: Option<u32>,
    /// Number of values, null or not; 0 for an index.
    pub values: usize,
    /// Of the values; 0 for an index.
    pub encoding: i32,
}

/// The fields of a page's description whose values are of 32 bits, by number.
type Integers = [Option<i32>; 9];

/// The description that a header has of its page.
struct Description {
    field: i64,
    numbers: Integers,
    is_compressed: bool,
}

impl PageHeader {
    /// Reads the header of the page at the beginning of `place`. Also returns the size of the header.
    pub fn read(file: &File, place: Range<u64>) -> Result<(Self, u64)> {
        let most = usize::try_from(place.end - place.start).unwrap_or(usize::MAX).min(MAX_HEADER_BYTES);
        let mut size = HEADER_BYTES.min(most);
        loop {
            let mut bytes = vec![0; size];
            file.read_exact_at(&mut bytes, place.start)?;
            let mut reader = Reader::new(&bytes);
            match Self::decode(&mut reader) {
                Ok(header) => return Ok((header, (size - reader.left()) as u64)),
                Err(error) if size == most => {
                    return Err(mismatch(format!("the page at byte {}: {}", place.start, text(&error))));
                }
                Err(_) => size = size.saturating_mul(8).min(most),
            }
        }
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self> {
        let mut numbers: Integers = [None; 9];
        let mut description = None;
        reader.fields(|reader, number, kind| {
            match number {
                1..=4 if numbers[number as usize].is_some() => return Err(twice()),
                5..=8 if description.is_some() => return Err(mismatch("a page is of several kinds".into())),
                1..=4 => numbers[number as usize] = Some(integer(reader, kind)?),
                5..=8 => description = Some(Description::read(reader, number, kind)?),
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        let kind = required(&numbers, 1)?;
        let (content, encoding) = match (kind, &description) {
            (0, Some(data @ Description { field: 5, .. })) => {
                let has_rle_levels = data.number(3)? == RLE && data.number(4)? == RLE;
                (Content::Data { has_rle_levels }, data.number(2)?)
            }
            (1, None | Some(Description { field: 6, .. })) => (Content::Index, 0),
            (2, Some(dictionary @ Description { field: 7, .. })) => (Content::Dictionary, dictionary.number(2)?),
            (3, Some(data @ Description { field: 8, .. })) => {
                // Of nulls and of rows. Some writers give -1 nulls where they have no statistics.
                data.number(2).and(data.number(3))?;
                let (definition_bytes, repetition_bytes) = (data.count(5)?, data.count(6)?);
                let is_compressed = data.is_compressed;
                (Content::DataV2 { definition_bytes, repetition_bytes, is_compressed }, data.number(4)?)
            }
            _ => return Err(mismatch(format!("a page is of kind {kind}, but is not described as such"))),
        };
        let values = match (content, &description) {
            (Content::Index, _) | (_, None) => 0,
            (_, Some(description)) => description.count(1)?,
        };
        let (size, decoded_size) = (count(required(&numbers, 3)?)?, count(required(&numbers, 2)?)?);
        Ok(PageHeader { content, size, decoded_size, checksum: numbers[4].map(i32::cast_unsigned), values, encoding })
    }
}

impl Description {
    fn read(reader: &mut Reader<'_>, field: i64, kind: u8) -> Result<Self> {
        if kind != STRUCT {
            return Err(other_type());
        }
        let mut numbers: Integers = [None; 9];
        let mut is_compressed = true;
        // In the order of the fields 5 to 8.
        let integers: &[i64] = [&[1, 2, 3, 4][..], &[], &[1, 2], &[1, 2, 3, 4, 5, 6]][(field - 5) as usize];
        reader.fields(|reader, number, kind| {
            if integers.contains(&number) {
                if numbers[number as usize].is_some() {
                    return Err(twice());
                }
                numbers[number as usize] = Some(integer(reader, kind)?);
                return Ok(true);
            }
            if (field, number) == (8, 7) {
                if !matches!(kind, 1 | 2) {
                    return Err(other_type());
                }
                is_compressed = kind == 1;
            }
            Ok(false)
        })?;
        Ok(Description { field, numbers, is_compressed })
    }

    fn number(&self, number: usize) -> Result<i32> {
        required(&self.numbers, number)
    }

    fn count(&self, number: usize) -> Result<usize> {
        count(self.number(number)?)
    }
}

fn integer(reader: &mut Reader<'_>, kind: u8) -> Result<i32> {
    if kind == INTEGER { reader.integer() } else { Err(other_type()) }
}

fn required(numbers: &Integers, number: usize) -> Result<i32> {
    numbers[number].ok_or_else(|| mismatch("the header of a page is not complete".into()))
}

fn count(number: i32) -> Result<usize> {
    usize::try_from(number).map_err(|_| mismatch(format!("a size is negative: {number}")))
}

fn twice() -> parquet::errors::ParquetError {
    mismatch("the header of a page has a field twice".into())
}

fn other_type() -> parquet::errors::ParquetError {
    mismatch("the header of a page has a value of another type than it must have".into())
}
