//! Why a row cannot be rendered.

use std::fmt;

/// The coordinate axis that an error is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Axis {
    /// Horizontal, growing to the right.
    X,
    /// Vertical, growing downward.
    Y,
}

impl fmt::Display for Axis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Axis::X => "x",
            Axis::Y => "y",
        })
    }
}

/// What is wrong with one row. The text is `REASON: DETAIL`, where REASON is [`RowError::reason`].
///
/// Strokes are counted from 0 over all words of the row, points from 0 within their stroke.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RowError {
    /// The row itself is null.
    #[error("null: the row is null")]
    NullRow,
    /// A word is null.
    #[error("null: word {word} is null")]
    NullWord {
        /// Index of the word in the row.
        word: usize,
    },
    /// A stroke, or its list of points, is null.
    #[error("null: stroke {stroke} is null")]
    NullStroke {
        /// Index of the stroke in the row.
        stroke: usize,
    },
    /// A point or one of its coordinates is null.
    #[error("null: stroke {stroke}, point {point} is null")]
    NullPoint {
        /// Index of the stroke in the row.
        stroke: usize,
        /// Index of the point in the stroke.
        point: usize,
    },
    /// The row has no points.
    #[error("no points: the row has no points")]
    NoPoints,
    /// The row has more points than [`MAX_POINTS`](crate::limits::MAX_POINTS).
    #[error("too many points: the row has at least {points}; the limit is {}", crate::limits::MAX_POINTS)]
    TooManyPoints {
        /// The number that was counted.
        points: usize,
    },
    /// The row has more strokes than [`MAX_STROKES`](crate::limits::MAX_STROKES).
    #[error("too many strokes: the row has at least {strokes}; the limit is {}", crate::limits::MAX_STROKES)]
    TooManyStrokes {
        /// The number that was counted.
        strokes: usize,
    },
    /// A coordinate is NaN or infinite.
    #[error("non-finite coordinate: stroke {stroke}, point {point}: {axis} is {value}")]
    NotFinite {
        /// Index of the stroke in the row.
        stroke: usize,
        /// Index of the point in the stroke.
        point: usize,
        /// The axis of the coordinate.
        axis: Axis,
        /// The coordinate as text: `NaN`, `inf` or `-inf`.
        value: String,
    },
    /// The largest minus the smallest coordinate of an axis is beyond the range of float64.
    #[error("span overflow: the {axis} coordinates span more than a float64 can hold")]
    SpanOverflow {
        /// The axis.
        axis: Axis,
    },
    /// The offsets of the strokes decrease or point outside the coordinates.
    #[error("broken offsets: stroke {stroke} does not lie within the coordinates")]
    BrokenOffsets {
        /// Index of the stroke in the row.
        stroke: usize,
    },
    /// The path of the row has more samples than [`MAX_SAMPLES`](crate::limits::MAX_SAMPLES).
    #[error("too long to read: {samples} samples of path, at most {}", crate::limits::MAX_SAMPLES)]
    TooLongToRead {
        /// How many it has.
        samples: usize,
    },
    /// The row is not made of words, strokes and points.
    #[error("wrong type: {}{problem}", stroke.map(|index| format!("stroke {index}: ")).unwrap_or_default())]
    WrongType {
        /// Index of the stroke in the row, if the problem lies in one.
        stroke: Option<usize>,
        /// What was found and what was expected.
        problem: String,
    },
}

impl RowError {
    /// A short, stable name for this kind of problem, for counting bad rows.
    pub fn reason(&self) -> &'static str {
        match self {
            RowError::NullRow
            | RowError::NullWord { .. }
            | RowError::NullStroke { .. }
            | RowError::NullPoint { .. } => "null",
            RowError::NoPoints => "no points",
            RowError::TooManyPoints { .. } => "too many points",
            RowError::TooManyStrokes { .. } => "too many strokes",
            RowError::NotFinite { .. } => "non-finite coordinate",
            RowError::SpanOverflow { .. } => "span overflow",
            RowError::BrokenOffsets { .. } => "broken offsets",
            RowError::TooLongToRead { .. } => "too long to read",
            RowError::WrongType { .. } => "wrong type",
        }
    }

    /// Index of the bad stroke, if it is known.
    pub fn stroke(&self) -> Option<usize> {
        match self {
            RowError::NullStroke { stroke }
            | RowError::NullPoint { stroke, .. }
            | RowError::NotFinite { stroke, .. }
            | RowError::BrokenOffsets { stroke } => Some(*stroke),
            RowError::WrongType { stroke, .. } => *stroke,
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_starts_with_the_reason() {
        let errors = [
            RowError::NullRow,
            RowError::NullWord { word: 1 },
            RowError::NullStroke { stroke: 2 },
            RowError::NullPoint { stroke: 2, point: 3 },
            RowError::NoPoints,
            RowError::TooManyPoints { points: 7 },
            RowError::TooManyStrokes { strokes: 8 },
            RowError::NotFinite { stroke: 1, point: 2, axis: Axis::Y, value: "NaN".into() },
            RowError::SpanOverflow { axis: Axis::X },
            RowError::BrokenOffsets { stroke: 0 },
            RowError::TooLongToRead { samples: 5000 },
            RowError::WrongType { stroke: Some(4), problem: "a string".into() },
        ];
        for error in errors {
            assert!(error.to_string().starts_with(&format!("{}: ", error.reason())), "{error}");
        }
    }
}
