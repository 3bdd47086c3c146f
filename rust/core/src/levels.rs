//! Every instruction set that tests can run.

use fearless_simd::Level;

/// The levels of this processor, from the best to plain numbers.
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
