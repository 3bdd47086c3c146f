//! Null bitmaps that are made only when there is a null.

/// Which items are valid.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Validity {
    count: usize,
    nulls: usize,
    /// A bit for each item, the lowest first, if there is a null.
    bits: Option<Vec<u8>>,
}

impl Validity {
    #[inline]
    pub fn push(&mut self, count: usize, is_valid: bool) {
        if is_valid && self.bits.is_none() {
            self.count += count;
        } else {
            self.push_bits(count, is_valid);
        }
    }

    fn push_bits(&mut self, count: usize, is_valid: bool) {
        let end = self.count + count;
        if !is_valid && self.bits.is_none() {
            self.bits = Some(ones(self.count));
        }
        if let Some(bits) = &mut self.bits {
            bits.resize(end.div_ceil(8), 0);
            if is_valid {
                (self.count..end).for_each(|index| bits[index / 8] |= 1 << (index % 8));
            } else {
                self.nulls += count;
            }
        }
        self.count = end;
    }

    pub fn count(&self) -> usize {
        self.count
    }

    /// Whether an item is valid.
    pub fn get(&self, index: usize) -> bool {
        self.bits.as_ref().is_none_or(|bits| bits[index / 8] >> (index % 8) & 1 == 1)
    }

    pub fn into_bits(self) -> Option<Vec<u8>> {
        self.bits
    }
}

fn ones(count: usize) -> Vec<u8> {
    let mut bits = vec![0xff; count / 8];
    if !count.is_multiple_of(8) {
        bits.push((1 << (count % 8)) - 1);
    }
    bits
}
