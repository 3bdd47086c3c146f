//! What tests share: instruction sets and numbers.

use fearless_simd::Level;

/// Every instruction set that tests can run on this processor, from the best to plain numbers.
pub fn levels() -> Vec<Level> {
    let mut levels = vec![Level::new()];
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    levels.extend(
        [
            Level::new().as_avx2().map(Level::Avx2),
            Level::new().as_sse4_2().map(Level::Sse4_2),
            Level::new().as_sse2().map(Level::Sse2),
        ]
        .into_iter()
        .flatten(),
    );
    levels.push(Level::fallback());
    levels.dedup_by_key(|level| std::mem::discriminant(level));
    levels
}

/// Numbers from -1 to 1 by a linear congruential generator.
pub struct MadeNumbers(pub u32);

impl MadeNumbers {
    pub fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(self.0) / f64::from(u32::MAX) * 2.0 - 1.0
    }

    /// `count` numbers from -scale to scale.
    pub fn take(&mut self, count: usize, scale: f64) -> Vec<f32> {
        (0..count).map(|_| (self.next() * scale) as f32).collect()
    }
}
