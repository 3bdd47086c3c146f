//! Made lines the size of real ones, 25 strokes of 25 points, the same everywhere.

use penpal_core::OwnedRows;

/// Number of made lines.
pub const ROWS: usize = 256;
const STROKES: usize = 25;
const POINTS: usize = 25;

/// A linear congruential generator of numbers from 0 to 1.
pub fn numbers() -> impl FnMut() -> f64 {
    let mut state: u32 = 1;
    move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(state) / f64::from(u32::MAX)
    }
}

/// Curly strokes from left to right.
pub fn made_lines() -> OwnedRows {
    let mut number = numbers();
    let mut rows = OwnedRows::default();
    for _ in 0..ROWS {
        let mut x = 0.0;
        for _ in 0..STROKES {
            let (mut y, mut dx, mut dy) = (8.0 * number(), 0.0, 0.0);
            for _ in 0..POINTS {
                dx = 0.8 * dx + number() - 0.42;
                dy = 0.8 * dy + number() - 0.5;
                x += dx;
                y += dy;
                rows.push_point(x, y);
            }
            rows.end_stroke();
            x += 4.0;
        }
        rows.end_row(Ok(()));
    }
    rows
}
