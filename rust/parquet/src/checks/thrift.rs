//! Thrift's compact encoding, as much of it as the checks need.
//!
//! Other readers of the same bytes cut numbers off, ignore types or allocate what a list claims. So whatever they may
//! take for something else than this reader does is refused.

use parquet::errors::ParquetError;

use crate::error::{Result, mismatch};

/// Maximum number of levels of nested structs and lists. Parquet needs up to eight.
const MAX_DEPTH: usize = 32;

/// Maximum number of items in a list, which is PyArrow's default. A reader may allocate memory for all before it reads one.
const MAX_ITEMS: usize = 1_000_000;

/// Largest number of a field. Other readers keep 16 bits of it.
const MAX_FIELD: i64 = i16::MAX as i64;

/// A boolean field's value is its type.
pub const TRUE: u8 = 1;
pub const FALSE: u8 = 2;
/// 8 bits.
pub const BYTE: u8 = 3;
/// 16 bits.
pub const SHORT: u8 = 4;
/// 32 bits.
pub const INTEGER: u8 = 5;
/// 64 bits.
pub const LONG: u8 = 6;
pub const DOUBLE: u8 = 7;
pub const BINARY: u8 = 8;
pub const LIST: u8 = 9;
pub const STRUCT: u8 = 12;

/// Reads encoded values one after another.
pub struct Reader<'a> {
    rest: &'a [u8],
    depth: usize,
}

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Reader { rest: bytes, depth: 0 }
    }

    /// Number of bytes that are left.
    pub fn left(&self) -> usize {
        self.rest.len()
    }

    /// Reads a struct. `take` gets the number and the type of each field. It reads the field, or returns false to skip
    /// it.
    pub fn fields(&mut self, mut take: impl FnMut(&mut Self, i64, u8) -> Result<bool>) -> Result<()> {
        self.deeper(|reader| {
            let mut number = 0;
            loop {
                let head = reader.byte()?;
                let kind = head & 0x0f;
                if kind == 0 {
                    return Ok(());
                }
                number = match head >> 4 {
                    0 => reader.long()?,
                    step => number + i64::from(step),
                };
                if !(1..=MAX_FIELD).contains(&number) {
                    return Err(damaged("a field number is out of range"));
                }
                if !take(reader, number, kind)? {
                    reader.skip(kind)?;
                }
            }
        })
    }

    /// Reads the head of a list: the number of its items, not more than the bytes that are left, and their type.
    pub fn list(&mut self) -> Result<(usize, u8)> {
        let head = self.byte()?;
        let size = if head >> 4 == 15 { self.varint()? } else { u64::from(head >> 4) };
        Ok((self.items(size)?, head & 0x0f))
    }

    /// Reads an integer of 32 bits.
    pub fn integer(&mut self) -> Result<i32> {
        i32::try_from(self.long()?).map_err(|_| damaged("an integer has more than 32 bits"))
    }

    /// Reads an integer of 16 bits.
    pub fn short(&mut self) -> Result<i16> {
        i16::try_from(self.long()?).map_err(|_| damaged("an integer has more than 16 bits"))
    }

    fn long(&mut self) -> Result<i64> {
        let coded = self.varint()?;
        Ok((coded >> 1).cast_signed() ^ -(coded & 1).cast_signed())
    }

    /// Skips a value. Sets, maps and lists of booleans are refused: Parquet has none, and not all readers skip as many
    /// bytes.
    pub fn skip(&mut self, kind: u8) -> Result<()> {
        match kind {
            TRUE | FALSE => Ok(()),
            BYTE => self.bytes(1),
            SHORT | INTEGER | LONG => self.varint().map(drop),
            DOUBLE => self.bytes(8),
            BINARY => {
                let size = self.varint()?;
                let size = self.size(size)?;
                self.bytes(size)
            }
            LIST => self.deeper(|reader| {
                let (size, kind) = reader.list()?;
                if size > 0 && matches!(kind, TRUE | FALSE) {
                    return Err(damaged("a value has a type that Parquet does not use"));
                }
                (0..size).try_for_each(|_| reader.skip(kind))
            }),
            STRUCT => self.fields(|_, _, _| Ok(false)),
            _ => Err(damaged("a value has a type that Parquet does not use")),
        }
    }

    fn deeper(&mut self, read: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(mismatch(format!("its structs are nested more than {MAX_DEPTH} levels deep")));
        }
        read(self)?;
        self.depth -= 1;
        Ok(())
    }

    fn items(&self, count: u64) -> Result<usize> {
        let count = self.size(count)?;
        if count > MAX_ITEMS {
            return Err(mismatch(format!("its metadata has a list of {count} items; at most {MAX_ITEMS} are read")));
        }
        Ok(count)
    }

    fn size(&self, size: u64) -> Result<usize> {
        usize::try_from(size)
            .ok()
            .filter(|size| *size <= self.left())
            .ok_or_else(|| damaged("a value is longer than the bytes that are left"))
    }

    fn varint(&mut self) -> Result<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(damaged("an integer has more than 64 bits"))
    }

    fn byte(&mut self) -> Result<u8> {
        let (first, rest) = self.rest.split_first().ok_or_else(|| damaged("it ends too early"))?;
        self.rest = rest;
        Ok(*first)
    }

    fn bytes(&mut self, size: usize) -> Result<()> {
        self.rest = self.rest.get(size..).ok_or_else(|| damaged("it ends too early"))?;
        Ok(())
    }
}

fn damaged(what: &str) -> ParquetError {
    mismatch(format!("the encoding of the metadata is damaged: {what}"))
}
