//! What a row seems to say, and how likely it says its text, from the log-probabilities of its frames.

use fearless_simd::{Level, Simd, dispatch};

use super::ctc::{Forward, LogProbabilities, are_letters};
use crate::threads::Threads;

/// A text for each row, as the letters' outputs from 1 on; an empty one is no text.
#[derive(Clone, Copy, Debug)]
pub struct Texts<'a> {
    codes: &'a [u16],
    offsets: &'a [i64],
}

/// What one row seems to say.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// Minus the logarithm of the text's probability, infinite where the path is too short for it; NaN without a text.
    pub text_loss: f32,
    /// The same of what the row seems to say, `codes`.
    pub reading_loss: f32,
    /// The largest deficit of a letter of the text where it stands, 0 where the text is what is read, infinite where the
    /// path is too short for it; NaN without a text.
    pub misfit: f32,
    /// The letters of the likeliest way, by their outputs.
    pub codes: Vec<u16>,
}

impl<'a> Texts<'a> {
    /// Texts of which the text `i` is the codes `offsets[i]` up to `offsets[i + 1]`; none where these do not lie within
    /// the codes or decrease.
    pub fn new(codes: &'a [u16], offsets: &'a [i64]) -> Option<Self> {
        let within = |&offset: &i64| usize::try_from(offset).is_ok_and(|offset| offset <= codes.len());
        (offsets.is_sorted() && offsets.iter().all(within)).then_some(Texts { codes, offsets })
    }

    /// Number of texts.
    pub fn len(self) -> usize {
        self.offsets.len().saturating_sub(1)
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Whether all codes are letters among these outputs.
    pub fn are_within(self, outputs: usize) -> bool {
        are_letters(self.codes, outputs)
    }

    pub(super) fn get(self, index: usize) -> &'a [u16] {
        let [start, end] = [index, index + 1].map(|index| self.offsets[index] as usize);
        &self.codes[start..end]
    }
}

impl Reading {
    #[inline(always)]
    pub(super) fn of<S: Simd>(
        simd: S,
        probabilities: LogProbabilities,
        codes: &[u16],
        forward: &mut Forward,
    ) -> Reading {
        let mut said = Vec::new();
        let way_loss = probabilities.best_path(simd, |code| said.push(code));
        // All ways of writing what is read, not only the likeliest, which tell more surely how likely it is. Only one
        // way says nothing.
        let reading_loss =
            if said.is_empty() { way_loss } else { forward.text_loss(simd, probabilities, &said) } as f32;
        let (text_loss, misfit) = if codes.is_empty() {
            (f32::NAN, f32::NAN)
        } else if codes == said {
            (reading_loss, 0.0)
        } else {
            (forward.text_loss(simd, probabilities, codes) as f32, probabilities.misfit(codes) as f32)
        };
        Reading { text_loss, reading_loss, misfit, codes: said }
    }

    /// Readings of rows whose log-probabilities were computed elsewhere, [frames][outputs] each.
    ///
    /// # Panics
    /// If `texts` are not as many as the rows, have a code beyond the outputs, or a row is not of whole frames.
    pub fn of_rows(rows: &[&[f32]], outputs: usize, texts: Option<Texts>, threads: &Threads) -> Vec<Reading> {
        assert!(texts.is_none_or(|texts| texts.len() == rows.len()), "a text for each row");
        assert!(texts.is_none_or(|texts| texts.are_within(outputs)), "letters that the reader knows");
        assert!(rows.iter().all(|row| row.len().is_multiple_of(outputs)), "whole frames");
        let level = Level::new();
        let work = |forward: &mut Forward, index: usize| {
            let codes = texts.map_or(&[][..], |texts| texts.get(index));
            let probabilities = LogProbabilities::new(rows[index], outputs);
            dispatch!(level, simd => Reading::of(simd, probabilities, codes, forward))
        };
        threads.map((0..rows.len()).collect(), Forward::default, work)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_texts_are_refused() {
        let codes = [1, 2, 3];
        for offsets in [&[0, 4][..], &[-1, 2], &[2, 1]] {
            assert!(Texts::new(&codes, offsets).is_none(), "{offsets:?}");
        }
        assert_eq!(Texts::new(&codes, &[0, 2, 3]).unwrap().len(), 2);
        assert!(Texts::new(&codes, &[]).unwrap().is_empty());
    }

    #[test]
    fn rows_computed_elsewhere_are_read() {
        // Two frames of the letters 2 and 1, then one frame of a blank.
        let rows = [&[-9.0, -9.0, -0.1, -9.0, -0.2, -9.0][..], &[-0.5, -9.0, -9.0]];
        let texts = Texts::new(&[2, 1], &[0, 2, 2]).unwrap();
        for threads in [1, 2] {
            let found = Reading::of_rows(&rows, 3, Some(texts), &Threads::new(threads).unwrap());
            assert_eq!(found[0].codes, [2, 1]);
            assert!((found[0].reading_loss - 0.3).abs() < 1e-3 && found[0].text_loss == found[0].reading_loss);
            assert!(found[1].codes.is_empty() && found[1].text_loss.is_nan() && found[1].misfit.is_nan());
            assert_eq!(found[0].misfit, 0.0);
        }
    }
}
