//! An input read from its start; past its end there are zeros.

/// What is left of an input.
pub struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    pub fn new(data: &'a [u8]) -> Self {
        Bytes(data)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn array<const N: usize>(&mut self) -> [u8; N] {
        let mut taken = [0; N];
        let count = N.min(self.0.len());
        taken[..count].copy_from_slice(&self.0[..count]);
        self.0 = &self.0[count..];
        taken
    }

    pub fn byte(&mut self) -> u8 {
        self.array::<1>()[0]
    }

    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        usize::from(self.byte()) % end
    }

    pub fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    /// A coordinate: small and whole, a fraction, from the ends of the range, or any bits.
    pub fn number(&mut self) -> f64 {
        const EXTREMES: [f64; 16] = [
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::MAX,
            f64::MIN,
            f64::MIN_POSITIVE,
            5e-324,
            -5e-324,
            -0.0,
            8.9e307,
            -8.9e307,
            1e300,
            -1e-300,
            9_007_199_254_740_993.0,
            3.4e38,
            65504.0,
        ];
        let kind = self.byte();
        match kind & 7 {
            0..=2 => f64::from(i8::from_le_bytes(self.array())),
            3..=5 => f64::from(i16::from_le_bytes(self.array())) / 256.0,
            6 => EXTREMES[usize::from(kind >> 4)],
            _ => f64::from_le_bytes(self.array()),
        }
    }

    /// As [`Bytes::number`], finite and below 2^120 in size.
    pub fn tame_number(&mut self) -> f64 {
        let number = self.number();
        if number.abs() < 1e36 { number } else { 0.5 }
    }
}

/// FNV-1a of an input: which of the dearer checks it gets.
pub fn hash(data: &[u8]) -> u64 {
    data.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Numbers that follow from a seed (Marsaglia's xorshift64).
pub struct Numbers(pub u64);

impl Numbers {
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub fn below(&mut self, end: usize) -> usize {
        (self.next() >> 11) as usize % end
    }
}
