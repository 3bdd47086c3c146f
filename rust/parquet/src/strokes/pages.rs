//! The pages of one coordinate, read and decompressed one after another.

use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use bytes::Bytes;
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::metadata::ColumnChunkMetaData;

use super::compression::Codec;
use super::hybrid::Hybrid;
use super::numbers::{Number, Numbers};
use crate::checks::{Content, PageHeader, place};
use crate::error::{Result, mismatch};

/// The largest page that is read here. Others are left to a reader that needs no whole page in memory, or fails.
const MAX_PAGE_BYTES: usize = 16 << 20;

const PLAIN: i32 = 0;
const PLAIN_DICTIONARY: i32 = 2;
const RLE_DICTIONARY: i32 = 8;
const BYTE_STREAM_SPLIT: i32 = 9;

/// Decompresses bytes to exactly so many.
pub type Decompress = Arc<dyn Fn(Codec, &[u8], usize) -> Result<Bytes> + Send + Sync>;

/// The levels of a page as they are stored.
#[derive(Clone, PartialEq, Eq)]
pub struct EncodedLevels {
    repetition: Bytes,
    definition: Bytes,
    /// Number of values, null or not.
    values: usize,
}

/// A page of data.
#[derive(Clone)]
pub struct Page {
    pub levels: EncodedLevels,
    /// Size in memory.
    pub bytes: usize,
    /// Number of values that are left, null or not.
    pub left: usize,
    pub repetition: Hybrid,
    pub definition: Hybrid,
    pub numbers: Numbers,
}

impl Page {
    /// Passes over the levels of the values that are not left.
    pub fn pass_levels(&mut self) -> Result<()> {
        let passed = self.levels.values - self.left;
        self.repetition.pass(passed)?;
        self.definition.pass(passed)
    }
}

/// Largest levels of a coordinate.
#[derive(Clone, Copy)]
pub struct MaxLevels {
    pub repetition: u32,
    pub definition: u32,
}

/// The pages of a coordinate in a row group.
#[derive(Clone)]
pub struct Pages<T> {
    file: Arc<File>,
    place: Range<u64>,
    codec: Option<Codec>,
    decompress: Decompress,
    max_levels: MaxLevels,
    dictionary: Option<Arc<[T]>>,
    /// Number of values that the pages must still have.
    missing: u64,
}

impl<T: Number> Pages<T> {
    pub fn new(
        file: Arc<File>,
        column: &ColumnChunkMetaData,
        max_levels: MaxLevels,
        decompress: Decompress,
    ) -> Result<Self> {
        let codec = match column.compression() {
            Compression::UNCOMPRESSED => None,
            other => Some(Codec::of(other).ok_or_else(|| mismatch(format!("the compression {other}")))?),
        };
        let missing = column.num_values().unsigned_abs();
        Ok(Pages { file, place: place(column), codec, decompress, max_levels, dictionary: None, missing })
    }

    pub fn dictionary(&self) -> &[T] {
        self.dictionary.as_deref().unwrap_or_default()
    }

    /// The next page of data with values, if there is one.
    pub fn next(&mut self) -> Result<Option<Page>> {
        while self.place.start < self.place.end {
            let (header, size) = PageHeader::read(&self.file, self.place.clone())?;
            let begin = self.place.start + size;
            if header.size as u64 > self.place.end - begin {
                return Err(mismatch("a page is longer than its column".into()));
            }
            if header.size.max(header.decoded_size) > MAX_PAGE_BYTES {
                return Err(mismatch("a page is large".into()));
            }
            let mut bytes = vec![0; header.size];
            self.file.read_exact_at(&mut bytes, begin)?;
            self.place.start = begin + header.size as u64;
            if header.checksum.is_some_and(|sum| sum != crc32fast::hash(&bytes)) {
                return Err(mismatch("the checksum of a page is wrong".into()));
            }
            match header.content {
                Content::Dictionary => self.read_dictionary(&header, bytes.into())?,
                Content::Index => return Err(mismatch("a page of another kind".into())),
                Content::Data { has_rle_levels: false } => {
                    return Err(mismatch("its levels are encoded in an old way".into()));
                }
                Content::Data { .. } | Content::DataV2 { .. } => {
                    let page = self.read_page(&header, bytes.into())?;
                    self.missing = self
                        .missing
                        .checked_sub(page.left as u64)
                        .ok_or_else(|| mismatch("its pages have more values than the footer says".into()))?;
                    if page.left > 0 {
                        return Ok(Some(page));
                    }
                }
            }
        }
        if self.missing > 0 {
            return Err(mismatch("its pages have fewer values than the footer says".into()));
        }
        Ok(None)
    }

    fn read_dictionary(&mut self, header: &PageHeader, bytes: Bytes) -> Result<()> {
        let bytes = self.decompressed(bytes, header.decoded_size)?;
        let is_plain = matches!(header.encoding, PLAIN | PLAIN_DICTIONARY);
        if self.dictionary.is_some() || !is_plain || header.values.checked_mul(T::SIZE) != Some(bytes.len()) {
            return Err(mismatch("its dictionary is wrong".into()));
        }
        let mut dictionary = Vec::new();
        T::plain(&bytes, &mut dictionary);
        self.dictionary = Some(dictionary.into());
        Ok(())
    }

    fn read_page(&self, header: &PageHeader, bytes: Bytes) -> Result<Page> {
        let [repetition, definition, values] = match header.content {
            Content::DataV2 { definition_bytes, repetition_bytes, is_compressed } => {
                let levels = definition_bytes.checked_add(repetition_bytes).ok_or_else(too_short)?;
                if levels > bytes.len() || levels > header.decoded_size {
                    return Err(too_short());
                }
                let mut values = bytes.slice(levels..);
                let size = header.decoded_size - levels;
                // Some writers leave out what has no values; PyArrow 17 writes what the codec makes of them.
                if is_compressed && !values.is_empty() {
                    values = self.decompressed(values, size)?;
                }
                if values.len() != size {
                    return Err(mismatch("a page has another size than its header says".into()));
                }
                [bytes.slice(..repetition_bytes), bytes.slice(repetition_bytes..levels), values]
            }
            _ => self.split(header, bytes)?,
        };
        Ok(Page {
            levels: EncodedLevels {
                repetition: repetition.clone(),
                definition: definition.clone(),
                values: header.values,
            },
            bytes: header.size.max(header.decoded_size),
            left: header.values,
            repetition: levels_of(repetition, self.max_levels.repetition)?,
            definition: levels_of(definition, self.max_levels.definition)?,
            numbers: self.numbers(header.encoding, values)?,
        })
    }

    /// The levels and the values of a page that are compressed together. Levels come after their size.
    fn split(&self, header: &PageHeader, bytes: Bytes) -> Result<[Bytes; 3]> {
        let mut rest = self.decompressed(bytes, header.decoded_size)?;
        let mut levels = |most: u32| {
            if most == 0 {
                return Ok(Bytes::new());
            }
            let size = rest.first_chunk().map(|size| u32::from_le_bytes(*size) as usize).ok_or_else(too_short)?;
            if size > rest.len() - 4 {
                return Err(too_short());
            }
            let levels = rest.slice(4..4 + size);
            rest = rest.slice(4 + size..);
            Ok(levels)
        };
        Ok([levels(self.max_levels.repetition)?, levels(self.max_levels.definition)?, rest])
    }

    fn numbers(&self, encoding: i32, bytes: Bytes) -> Result<Numbers> {
        match encoding {
            PLAIN => Ok(Numbers::Plain { bytes, at: 0 }),
            BYTE_STREAM_SPLIT => Ok(Numbers::Split { bytes, at: 0 }),
            PLAIN_DICTIONARY | RLE_DICTIONARY if self.dictionary.is_some() => {
                let width = bytes.first().copied();
                // Without values, there may not even be a width.
                let indices = if bytes.is_empty() { bytes } else { bytes.slice(1..) };
                Ok(Numbers::Indices(Hybrid::new(indices, width.unwrap_or(0).into())?))
            }
            _ => Err(mismatch(format!("the encoding {encoding}"))),
        }
    }

    fn decompressed(&self, bytes: Bytes, size: usize) -> Result<Bytes> {
        let decompressed = match self.codec {
            None => bytes,
            Some(codec) if codec.promised(&bytes) == Some(size as u64) => (self.decompress)(codec, &bytes, size)?,
            Some(_) => return Err(mismatch("a page does not say how large it is".into())),
        };
        if decompressed.len() == size {
            Ok(decompressed)
        } else {
            Err(mismatch("a page has another size than its header says".into()))
        }
    }
}

fn levels_of(bytes: Bytes, most: u32) -> Result<Hybrid> {
    if most == 0 { Ok(Hybrid::zeros()) } else { Hybrid::new(bytes, (u32::BITS - most.leading_zeros()) as usize) }
}

fn too_short() -> ParquetError {
    mismatch("a page is shorter than its levels".into())
}

#[cfg(test)]
mod tests {
    #[test]
    fn checksums_are_those_of_the_format() {
        assert_eq!(crc32fast::hash(b""), 0);
        assert_eq!(crc32fast::hash(b"123456789"), 0xcbf4_3926);
        assert_eq!(crc32fast::hash(b"The quick brown fox jumps over the lazy dog"), 0x414f_a339);
    }
}
