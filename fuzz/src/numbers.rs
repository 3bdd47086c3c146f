//! Coordinates from an input, and numbers from a seed.

use libfuzzer_sys::arbitrary::{Result, Unstructured};

/// A coordinate: small and whole, a fraction, from the ends of the range, or any bits.
pub fn number(input: &mut Unstructured) -> Result<f64> {
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
    let kind: u8 = input.arbitrary()?;
    Ok(match kind & 7 {
        0..=2 => input.arbitrary::<i8>()?.into(),
        3..=5 => f64::from(input.arbitrary::<i16>()?) / 256.0,
        6 => EXTREMES[usize::from(kind >> 4)],
        _ => input.arbitrary()?,
    })
}

/// As [`number`], finite and below 1e36 in size.
pub fn tame_number(input: &mut Unstructured) -> Result<f64> {
    let number = number(input)?;
    Ok(if number.abs() < 1e36 { number } else { 0.5 })
}

/// FNV-1a hash of an input, which chooses the inputs that get slow checks.
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
