//! How many bytes compressed data promise, told from their first bytes.
//!
//! Both formats fail to decompress unless they keep the promise, so no byte of the result is left unwritten.

use parquet::basic::Compression;

const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// A compression whose pages are read here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    /// Snappy, without a frame.
    Snappy,
    /// Zstandard.
    Zstd,
}

impl Codec {
    /// The codec of compressed pages; `None` if they are not read here.
    pub(super) fn of(compression: Compression) -> Option<Self> {
        match compression {
            Compression::SNAPPY => Some(Codec::Snappy),
            Compression::ZSTD(_) => Some(Codec::Zstd),
            _ => None,
        }
    }

    /// The name that Arrow has for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Codec::Snappy => "snappy",
            Codec::Zstd => "zstd",
        }
    }

    /// The size of the decompressed data, if the compressed data say it.
    pub(super) fn promised(self, bytes: &[u8]) -> Option<u64> {
        match self {
            Codec::Snappy => snappy(bytes),
            Codec::Zstd => zstd(bytes),
        }
    }
}

/// The number of up to 32 bits at the beginning, in groups of seven.
fn snappy(bytes: &[u8]) -> Option<u64> {
    let mut size = 0;
    for (index, byte) in bytes.iter().take(5).enumerate() {
        size |= u64::from(byte & 0x7f) << (7 * index);
        if *byte < 0x80 {
            return Some(size);
        }
    }
    None
}

/// The size of the content of the first frame. RFC 8878, 3.1.1.1.
fn zstd(bytes: &[u8]) -> Option<u64> {
    let (&head, rest) = bytes.strip_prefix(&ZSTD_MAGIC)?.split_first()?;
    let is_single_segment = head >> 5 & 1 == 1;
    let dictionary = [0, 1, 2, 4][usize::from(head & 3)];
    let size = match head >> 6 {
        0 => usize::from(is_single_segment),
        flag => 1 << flag,
    };
    let skipped = usize::from(!is_single_segment) + dictionary;
    let field = rest.get(skipped..skipped + size)?;
    let mut number = [0; 8];
    number[..size].copy_from_slice(field);
    let number = u64::from_le_bytes(number);
    match size {
        0 => None,
        2 => Some(number + 256),
        _ => Some(number),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_of_frames() {
        let frame = |rest: &[u8]| Codec::Zstd.promised(&[&ZSTD_MAGIC, rest].concat());
        assert_eq!(frame(&[0x20, 5]), Some(5));
        assert_eq!(frame(&[0x60, 0, 1]), Some(512));
        assert_eq!(frame(&[0x80, 9, 1, 0, 1, 0]), Some(65537));
        assert_eq!(frame(&[0x00, 9]), None);
        assert_eq!(frame(&[0x80, 9, 1]), None);
        assert_eq!(Codec::Zstd.promised(b"BZh"), None);
        assert_eq!(Codec::Snappy.promised(&[0x80, 0x01, 7]), Some(128));
        assert_eq!(Codec::Snappy.promised(&[0x80]), None);
    }
}
