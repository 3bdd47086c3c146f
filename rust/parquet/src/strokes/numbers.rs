//! The values of a page.

use bytes::Bytes;

use super::hybrid::Hybrid;
use crate::error::{Result, mismatch};

/// A type of coordinates.
pub trait Number: Copy + Default + Send {
    /// Its size in bytes.
    const SIZE: usize;

    /// Appends numbers that lie one after another.
    fn plain(bytes: &[u8], out: &mut Vec<Self>);

    /// Appends numbers whose first bytes lie together, and so do the others.
    fn split(streams: &[&[u8]], out: &mut Vec<Self>);
}

macro_rules! number {
    ($kind:ty, $($byte:literal)+) => {
        impl Number for $kind {
            const SIZE: usize = size_of::<$kind>();

            fn plain(bytes: &[u8], out: &mut Vec<Self>) {
                let (numbers, _) = bytes.as_chunks();
                out.extend(numbers.iter().map(|bytes| <$kind>::from_le_bytes(*bytes)));
            }

            fn split(streams: &[&[u8]], out: &mut Vec<Self>) {
                let count = streams[0].len();
                let streams = [$(&streams[$byte][..count]),+];
                out.extend((0..count).map(|index| <$kind>::from_le_bytes([$(streams[$byte][index]),+])));
            }
        }
    };
}

number!(f32, 0 1 2 3);
number!(f64, 0 1 2 3 4 5 6 7);

/// The values of a page that are not null.
#[derive(Clone)]
pub enum Numbers {
    Plain {
        bytes: Bytes,
        at: usize,
    },
    Split {
        bytes: Bytes,
        at: usize,
    },
    /// Indices into the dictionary.
    Indices(Hybrid),
}

impl Numbers {
    /// Appends the next `count` values.
    pub fn take<T: Number>(&mut self, count: usize, dictionary: &[T], out: &mut Vec<T>) -> Result<()> {
        let too_few = || mismatch("a page has fewer values than it claims".into());
        match self {
            Numbers::Plain { bytes, at } => {
                let taken = bytes.get(*at..*at + count * T::SIZE).ok_or_else(too_few)?;
                T::plain(taken, out);
                *at += taken.len();
            }
            Numbers::Split { bytes, at } => {
                let total = bytes.len() / T::SIZE;
                if bytes.len() % T::SIZE != 0 || *at + count > total {
                    return Err(too_few());
                }
                let stream = |byte: usize| &bytes[byte * total + *at..][..count];
                let streams: [&[u8]; 8] = std::array::from_fn(|byte| if byte < T::SIZE { stream(byte) } else { &[] });
                T::split(&streams[..T::SIZE], out);
                *at += count;
            }
            Numbers::Indices(indices) => indices.take(count, dictionary, out)?,
        }
        Ok(())
    }

    /// Makes sure that a page has no more values than its levels.
    pub fn check_end<T: Number>(&self) -> Result<()> {
        let is_at_end = match self {
            Numbers::Plain { bytes, at } => *at == bytes.len(),
            Numbers::Split { bytes, at } => at * T::SIZE == bytes.len(),
            Numbers::Indices(_) => true,
        };
        if is_at_end { Ok(()) } else { Err(mismatch("a page has more values than it claims".into())) }
    }
}
