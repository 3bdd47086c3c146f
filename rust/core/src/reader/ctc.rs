//! Connectionist temporal classification (Graves et al., 2006): from log-probabilities to texts and back.
//!
//! A text is said by every way of writing its letters in order, each for one frame or more, with blanks between them
//! where one likes and between equal ones always. Letters are given by their outputs, from 1; output 0 is the blank.
//! `penpal_fast.reading.ctc` says the same in NumPy.

use fearless_simd::Simd;

use super::softmax::{exponentials, largest};

/// The output that stands for no letter.
const BLANK: usize = 0;

/// Log-probabilities of a row's frames.
#[derive(Clone, Copy, Debug)]
pub struct LogProbabilities<'a> {
    /// For each frame its outputs, padded to `stored`.
    pub(super) values: &'a [f32],
    pub(super) stored: usize,
    pub(super) outputs: usize,
}

/// Where one letter of a text is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AlignedLetter {
    /// First of its frames; the blanks between two letters are shared out at their middle.
    pub start: usize,
    /// One past the last.
    pub end: usize,
    /// What the text's likeliest way has less than the likeliest way of all, in these frames, as a logarithm.
    pub deficit: f64,
}

/// Memory for the forward algorithm, reused from row to row.
#[derive(Clone, Debug, Default)]
pub struct Forward {
    now: Said,
    next: Said,
    /// For each letter 1 where it may follow the one before without a blank, else 0.
    skips: Vec<f64>,
    /// Probabilities of a frame's outputs, and those of the text's letters.
    emissions: Vec<f64>,
    spoken: Vec<f64>,
}

/// Probabilities of having said the first letters of a text.
#[derive(Clone, Debug, Default)]
struct Said {
    /// And of being at the last of them; the first is that of no letter, 0.
    letters: Vec<f64>,
    /// And of being at a blank.
    blanks: Vec<f64>,
}

/// How probabilities are added and multiplied: as they are, or as logarithms.
struct Arithmetic<A, M> {
    zero: f64,
    one: f64,
    add: A,
    multiply: M,
}

impl<'a> LogProbabilities<'a> {
    /// From outputs of one frame after the other.
    pub fn new(values: &'a [f32], outputs: usize) -> Self {
        LogProbabilities { values, stored: outputs, outputs }
    }

    /// The outputs of each frame.
    pub fn frames(self) -> impl ExactSizeIterator<Item = &'a [f32]> {
        self.values.chunks_exact(self.stored).map(move |frame| &frame[..self.outputs])
    }

    /// Calls `say` with each letter of the likeliest way, and returns minus the logarithm of the way's probability.
    #[inline(always)]
    pub fn best_path<S: Simd>(self, simd: S, mut say: impl FnMut(u16)) -> f64 {
        simd.vectorize(
            #[inline(always)]
            || {
                let (mut sum, mut last) = (0.0, BLANK);
                for frame in self.frames() {
                    let most = largest(frame);
                    let best = frame.iter().position(|&value| value == most).unwrap_or(BLANK);
                    if best != BLANK && best != last {
                        say(best as u16);
                    }
                    last = best;
                    sum -= f64::from(most);
                }
                sum
            },
        )
    }

    /// The largest deficit of a letter in the text's likeliest way, infinite where there are too few frames.
    pub fn misfit(self, codes: &[u16]) -> f64 {
        let deficits = self.align(codes).into_iter().map(|letter| letter.deficit);
        deficits.reduce(f64::max).unwrap_or(f64::INFINITY)
    }

    /// For each letter of a text its frames in the text's likeliest way; none where there are too few frames.
    pub fn align(self, codes: &[u16]) -> Vec<AlignedLetter> {
        if !fits(self.frames().len(), codes) {
            return Vec::new();
        }
        let states = 2 * codes.len() + 1;
        let output = |state: usize| if state % 2 == 1 { usize::from(codes[state / 2]) } else { BLANK };
        let may_skip = |state: usize| state % 2 == 1 && state >= 3 && output(state) != output(state - 2);
        let mut scores = vec![f64::NEG_INFINITY; states];
        // For each frame, how many states each came from before it.
        let mut came_from = vec![0_u8; states * self.frames().len()];
        for (index, (frame, came_from)) in self.frames().zip(came_from.chunks_exact_mut(states)).enumerate() {
            for state in (0..states).rev() {
                let before = |steps: usize| state.checked_sub(steps).map_or(f64::NEG_INFINITY, |state| scores[state]);
                let (mut best, mut from) = (scores[state], 0);
                if index == 0 {
                    best = if state < 2 { 0.0 } else { f64::NEG_INFINITY };
                } else {
                    for steps in 1..=if may_skip(state) { 2 } else { 1 } {
                        if before(steps) > best {
                            (best, from) = (before(steps), steps as u8);
                        }
                    }
                }
                scores[state] = best + f64::from(frame[output(state)]);
                came_from[state] = from;
            }
        }
        let mut state = states - 1;
        if states > 1 && scores[state - 1] > scores[state] {
            state -= 1;
        }
        let mut way = vec![0; self.frames().len()];
        for (index, place) in way.iter_mut().enumerate().rev() {
            *place = state;
            state -= usize::from(came_from[index * states + state]);
        }
        let deficits = self.frames().zip(&way).map(|(frame, &state)| f64::from(largest(frame) - frame[output(state)]));
        let deficits: Vec<f64> = deficits.collect();
        letters(codes.len(), &way, &deficits)
    }
}

/// Whether all codes are letters among these outputs.
pub(super) fn are_letters(codes: &[u16], outputs: usize) -> bool {
    codes.iter().all(|&code| (BLANK + 1..outputs).contains(&usize::from(code)))
}

/// Whether a text can be said in so many frames: one for each letter, and a blank between two that are equal.
fn fits(frames: usize, codes: &[u16]) -> bool {
    codes.len() + codes.windows(2).filter(|pair| pair[0] == pair[1]).count() <= frames
}

/// Shares a way's frames out to its letters, which are the odd states.
fn letters(count: usize, way: &[usize], deficits: &[f64]) -> Vec<AlignedLetter> {
    let first_of = |letter: usize| way.partition_point(|&state| state < 2 * letter + 1);
    let end_of = |letter: usize| way.partition_point(|&state| state <= 2 * letter + 1);
    let mut start = 0;
    let aligned = (0..count).map(|letter| {
        let last = letter + 1 == count;
        let end = if last { way.len() } else { (end_of(letter) + first_of(letter + 1)) / 2 };
        let first = std::mem::replace(&mut start, end);
        AlignedLetter { start: first, end, deficit: deficits[first..end].iter().sum::<f64>().max(0.0) }
    });
    aligned.collect()
}

impl Forward {
    /// Least probability that is told from 0, so that no number is so small that the processor slows down.
    const MIN_KEPT: f64 = 1e-290;

    /// Least probability of a text for which what was taken for 0 does not matter.
    const MIN_EXACT: f64 = 1e-270;

    /// Minus the logarithm of a text's probability, infinite where there are too few frames to say it.
    #[inline(always)]
    pub fn text_loss<S: Simd>(&mut self, simd: S, probabilities: LogProbabilities, codes: &[u16]) -> f64 {
        if !fits(probabilities.frames().len(), codes) {
            return f64::INFINITY;
        }
        let probability = simd.vectorize(
            #[inline(always)]
            || {
                let arithmetic = Arithmetic {
                    zero: 0.0,
                    one: 1.0,
                    add: |one, other| one + other,
                    multiply: |one: f64, other: f64| if one * other < Self::MIN_KEPT { 0.0 } else { one * other },
                };
                self.run(
                    probabilities,
                    codes,
                    #[inline(always)]
                    |frame: &[f32], emissions: &mut [f64]| exponentials(frame, emissions),
                    arithmetic,
                )
            },
        );
        if probability > Self::MIN_EXACT { -probability.ln() } else { self.loss_by_logarithms(probabilities, codes) }
    }

    /// The same for texts that are so unlikely that float64 has no such numbers, at ten times the cost.
    #[cold]
    #[inline(never)]
    fn loss_by_logarithms(&mut self, probabilities: LogProbabilities, codes: &[u16]) -> f64 {
        let as_they_are = |logarithms: &[f32], emissions: &mut [f64]| {
            emissions.iter_mut().zip(logarithms).for_each(|(emission, &value)| *emission = value.into());
        };
        let arithmetic = Arithmetic {
            zero: f64::NEG_INFINITY,
            one: 0.0,
            add: |one: f64, other: f64| {
                let (more, less) = (one.max(other), one.min(other));
                if less == f64::NEG_INFINITY { more } else { more + (less - more).exp().ln_1p() }
            },
            multiply: |one, other| one + other,
        };
        -self.run(probabilities, codes, as_they_are, arithmetic)
    }

    /// The forward algorithm: the probability of all ways to say the text.
    #[inline(always)]
    fn run<A: Fn(f64, f64) -> f64, M: Fn(f64, f64) -> f64>(
        &mut self,
        probabilities: LogProbabilities,
        codes: &[u16],
        emit: impl Fn(&[f32], &mut [f64]),
        arithmetic: Arithmetic<A, M>,
    ) -> f64 {
        let Forward { now, next, skips, emissions, spoken } = self;
        let Arithmetic { zero, one, add, multiply } = arithmetic;
        let count = codes.len();
        now.restart(count, zero);
        next.restart(count, zero);
        skips.clear();
        skips
            .extend((0..count).map(|letter| if letter > 0 && codes[letter] != codes[letter - 1] { one } else { zero }));
        emissions.resize(probabilities.outputs, zero);
        spoken.resize(count, zero);
        // Before the first frame, nothing has been said.
        now.blanks[0] = one;
        for frame in probabilities.frames() {
            emit(frame, emissions);
            let blank = emissions[BLANK];
            spoken.iter_mut().zip(codes).for_each(|(spoken, &code)| *spoken = emissions[usize::from(code)]);
            let (letters, blanks) = (&now.letters[..=count], &now.blanks[..=count]);
            let (next_letters, next_blanks) = (&mut next.letters[1..=count], &mut next.blanks[..=count]);
            for place in 0..=count {
                next_blanks[place] = multiply(add(blanks[place], letters[place]), blank);
            }
            let (before, letters, blanks) = (&letters[..count], &letters[1..], &blanks[..count]);
            let (skips, spoken) = (&skips[..count], &spoken[..count]);
            for letter in 0..count {
                let skipped = multiply(skips[letter], before[letter]);
                next_letters[letter] = multiply(add(add(letters[letter], blanks[letter]), skipped), spoken[letter]);
            }
            std::mem::swap(now, next);
        }
        add(now.letters[count], now.blanks[count])
    }
}

impl Said {
    /// Starts a text of `count` letters.
    fn restart(&mut self, count: usize, zero: f64) {
        for values in [&mut self.letters, &mut self.blanks] {
            values.clear();
            values.resize(count + 1, zero);
        }
    }
}

#[cfg(test)]
mod tests {
    use fearless_simd::{Level, dispatch};

    use super::*;
    use crate::testing::MadeNumbers;

    const OUTPUTS: usize = 4;
    const FRAMES: usize = 5;

    /// Log-probabilities of logits that differ by `spread` at most.
    fn drawn(seed: u32, frames: usize, spread: f64) -> Vec<f32> {
        let mut numbers = MadeNumbers(seed);
        let mut values = Vec::new();
        for _ in 0..frames {
            let logits = numbers.take(OUTPUTS, spread / 2.0);
            let total: f32 = logits.iter().map(|value| value.exp()).sum();
            values.extend(logits.iter().map(|value| value - total.ln()));
        }
        values
    }

    fn text_loss(values: &[f32], codes: &[u16]) -> f64 {
        let probabilities = LogProbabilities::new(values, OUTPUTS);
        dispatch!(Level::new(), simd => Forward::default().text_loss(simd, probabilities, codes))
    }

    fn best_path(values: &[f32]) -> (Vec<u16>, f64) {
        let mut codes = Vec::new();
        let probabilities = LogProbabilities::new(values, OUTPUTS);
        let loss = dispatch!(Level::new(), simd => probabilities.best_path(simd, |code| codes.push(code)));
        (codes, loss)
    }

    /// All ways through the frames: what each says and the logarithm of its probability.
    fn ways(values: &[f32], frames: usize) -> Vec<(Vec<u16>, f64)> {
        let way = |number: usize| {
            let outputs = (0..frames as u32).map(|frame| (number / OUTPUTS.pow(frame) % OUTPUTS) as u16);
            let mut codes: Vec<u16> = outputs.clone().collect();
            codes.dedup();
            codes.retain(|&code| code != 0);
            (
                codes,
                (0..).zip(outputs).map(|(frame, code)| f64::from(values[frame * OUTPUTS + usize::from(code)])).sum(),
            )
        };
        (0..OUTPUTS.pow(frames as u32)).map(way).collect()
    }

    #[test]
    fn loss_is_the_sum_over_all_ways() {
        for seed in 0..3 {
            let values = drawn(seed, FRAMES, 4.0);
            let ways = ways(&values, FRAMES);
            for (text, _) in &ways {
                let said = ways.iter().filter(|(codes, _)| codes == text);
                let expected = -said.map(|(_, score)| score.exp()).sum::<f64>().ln();
                assert!((text_loss(&values, text) - expected).abs() < 1e-6, "{text:?}");
                let probabilities = LogProbabilities::new(&values, OUTPUTS);
                let by_logarithms = Forward::default().loss_by_logarithms(probabilities, text);
                assert!((by_logarithms - expected).abs() < 1e-6, "{text:?}");
            }
        }
    }

    #[test]
    fn a_text_that_needs_more_frames_is_impossible() {
        assert_eq!(text_loss(&drawn(0, 2, 1.0), &[1, 1]), f64::INFINITY);
        assert!(text_loss(&drawn(0, 3, 1.0), &[1, 1]).is_finite());
        assert_eq!(LogProbabilities::new(&drawn(0, 2, 1.0), OUTPUTS).align(&[1, 1]), []);
    }

    #[test]
    fn unlikely_texts_have_exact_losses() {
        let values: Vec<f32> = std::iter::repeat_n([0.0, -50.0, -50.0, -50.0], 40).flatten().collect();
        let text: Vec<u16> = (0..20).map(|letter| 1 + letter % 3).collect();
        // One frame a letter, wherever the blanks are: 40 over 20 ways, all others a billionth.
        let expected = 20.0 * 50.0 - (21..=40).map(f64::from).map(f64::ln).sum::<f64>()
            + (1..=20).map(f64::from).map(f64::ln).sum::<f64>();
        assert!((text_loss(&values, &text) - expected).abs() < 1e-6);
    }

    #[test]
    fn best_path_and_alignment_are_those_of_the_likeliest_ways() {
        for seed in 0..5 {
            let values = drawn(seed, FRAMES, 4.0);
            let ways = ways(&values, FRAMES);
            let most = |text: Option<&[u16]>| {
                let said = ways.iter().filter(|(codes, _)| text.is_none_or(|text| codes == text));
                said.max_by(|one, other| one.1.total_cmp(&other.1)).unwrap()
            };
            let (codes, loss) = best_path(&values);
            assert_eq!(codes, most(None).0);
            assert!((loss + most(None).1).abs() < 1e-6);
            for (text, _) in ways.iter().filter(|(codes, _)| !codes.is_empty()) {
                let letters = LogProbabilities::new(&values, OUTPUTS).align(text);
                assert_eq!(letters.len(), text.len());
                assert_eq!((letters[0].start, letters[letters.len() - 1].end), (0, FRAMES));
                assert!(letters.windows(2).all(|pair| pair[0].end == pair[1].start));
                let lost: f64 = letters.iter().map(|letter| letter.deficit).sum();
                assert!((lost + most(Some(text)).1 + loss).abs() < 1e-5, "{text:?}");
            }
        }
    }
}
