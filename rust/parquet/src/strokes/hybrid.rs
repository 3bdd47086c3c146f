//! Parquet's mixture of runs and packed numbers, in which levels and indices of dictionaries are stored.

use bytes::Bytes;
use parquet::errors::ParquetError;

use crate::error::{Result, mismatch};

/// Numbers that are packed together: eight of them fill a whole number of bytes.
const GROUP: usize = 8;

/// Maximum number of packed numbers that are unpacked at a time.
const UNPACKED: usize = 64 * GROUP;

/// Decodes numbers of at most 32 bits one run after another.
#[derive(Clone)]
pub struct Hybrid {
    bytes: Bytes,
    at: usize,
    width: usize,
    /// The number that is repeated, and how often it still is.
    value: u32,
    repeated: usize,
    /// Bytes of packed numbers that are not unpacked yet.
    packed: usize,
    unpacked: Vec<u32>,
    next: usize,
}

impl Hybrid {
    /// Takes encoded numbers of `width` bits.
    pub fn new(bytes: Bytes, width: usize) -> Result<Self> {
        if width > 32 {
            return Err(mismatch(format!("numbers of {width} bits")));
        }
        Ok(Hybrid { bytes, at: 0, width, value: 0, repeated: 0, packed: 0, unpacked: Vec::new(), next: 0 })
    }

    /// Zeros without end.
    pub fn zeros() -> Self {
        let (bytes, unpacked) = (Bytes::new(), Vec::new());
        Hybrid { bytes, at: 0, width: 0, value: 0, repeated: usize::MAX, packed: 0, unpacked, next: 0 }
    }

    /// The next number, and how often it follows itself, at least once. Equal numbers may come as several runs.
    pub fn run(&mut self) -> Result<(u32, usize)> {
        loop {
            if self.repeated > 0 {
                return Ok((self.value, self.repeated));
            }
            if let Some(&value) = self.unpacked.get(self.next) {
                let same = self.unpacked[self.next..].iter().take_while(|&&other| other == value).count();
                return Ok((value, same));
            }
            self.fill()?;
        }
    }

    /// Leaves out the first `count` numbers of the run that [`Hybrid::run`] found.
    pub fn skip(&mut self, count: usize) {
        if self.repeated > 0 {
            self.repeated -= count;
        } else {
            self.next += count;
        }
    }

    /// Leaves out the next `count` numbers.
    pub fn pass(&mut self, mut count: usize) -> Result<()> {
        while count > 0 {
            let some = self.run()?.1.min(count);
            self.skip(some);
            count -= some;
        }
        Ok(())
    }

    /// Appends the items of a table that the next `count` numbers stand for.
    pub fn take<T: Copy>(&mut self, mut count: usize, table: &[T], out: &mut Vec<T>) -> Result<()> {
        let unknown = || mismatch("an index is out of range".into());
        while count > 0 {
            let some;
            if self.repeated > 0 {
                some = self.repeated.min(count);
                let item = table.get(self.value as usize).ok_or_else(unknown)?;
                out.resize(out.len() + some, *item);
                self.repeated -= some;
            } else if self.next < self.unpacked.len() {
                some = (self.unpacked.len() - self.next).min(count);
                let numbers = &self.unpacked[self.next..self.next + some];
                if numbers.iter().fold(0, |most, &number| most.max(number)) as usize >= table.len() {
                    return Err(unknown());
                }
                out.extend(numbers.iter().map(|&number| table[number as usize]));
                self.next += some;
            } else {
                self.fill()?;
                continue;
            }
            count -= some;
        }
        Ok(())
    }

    /// Finds more numbers.
    fn fill(&mut self) -> Result<()> {
        if self.packed > 0 {
            self.unpack();
            return Ok(());
        }
        let head = self.head()?;
        let count = head >> 1;
        if count == 0 {
            return Err(mismatch("a run of levels or indices is empty".into()));
        }
        if head & 1 == 0 {
            let mut bytes = [0; 4];
            let size = self.width.div_ceil(8);
            bytes[..size].copy_from_slice(self.taken(size)?);
            self.value = u32::from_le_bytes(bytes);
            if u64::from(self.value) >> self.width != 0 {
                return Err(mismatch("a repeated number has too many bits".into()));
            }
            self.repeated = count;
        } else if self.width == 0 {
            (self.value, self.repeated) = (0, count.saturating_mul(GROUP));
        } else {
            // Some writers leave out the bytes after the last number. Such files are rare, and not read here.
            let size = count.checked_mul(self.width).ok_or_else(too_short)?;
            if size > self.bytes.len() - self.at {
                return Err(too_short());
            }
            self.packed = size;
        }
        Ok(())
    }

    fn unpack(&mut self) {
        let width = self.width;
        let size = (UNPACKED / GROUP * width).min(self.packed);
        let bytes = &self.bytes[self.at..self.at + size];
        self.packed -= size;
        self.at += size;
        self.next = 0;
        self.unpacked.clear();
        let mask = (1u64 << width) - 1;
        for group in bytes.chunks_exact(width) {
            if width <= 8 {
                let mut padded = [0; 8];
                padded[..width].copy_from_slice(group);
                let bits = u64::from_le_bytes(padded);
                self.unpacked.extend((0..GROUP).map(|index| ((bits >> (index * width)) & mask) as u32));
            } else {
                let mut padded = [0; 40];
                padded[..width].copy_from_slice(group);
                self.unpacked.extend((0..GROUP).map(|index| {
                    let bit = index * width;
                    let bits = padded[bit / 8..].first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
                    ((bits >> (bit % 8)) & mask) as u32
                }));
            }
        }
    }

    /// Reads the head of a run, an unsigned number of at most 32 bits.
    fn head(&mut self) -> Result<usize> {
        let mut value: u64 = 0;
        for shift in (0..35).step_by(7) {
            let byte = self.taken(1)?[0];
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return u32::try_from(value).map(|head| head as usize).map_err(|_| too_long());
            }
        }
        Err(too_long())
    }

    fn taken(&mut self, size: usize) -> Result<&[u8]> {
        let bytes = self.bytes.get(self.at..self.at + size).ok_or_else(too_short)?;
        self.at += size;
        Ok(bytes)
    }
}

fn too_short() -> ParquetError {
    mismatch("its levels or indices end too early".into())
}

fn too_long() -> ParquetError {
    mismatch("a run of levels or indices is too long".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_runs_are_refused() {
        for head in [0, 1] {
            let mut numbers = Hybrid::new(Bytes::from(vec![head, 0, 4, 1]), 1).unwrap();
            assert!(numbers.run().is_err());
        }
    }
}
