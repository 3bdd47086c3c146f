//! The whole reader: rows of strokes to readings.

use std::ops::Range;
use std::time::{Duration, Instant};

use fearless_simd::{Level, dispatch};

use super::ctc::{AlignedLetter, Forward, LogProbabilities, are_letters};
use super::description::{ReaderError, ReaderNetwork};
use super::layers::{Activations, Layers};
use super::reading::{Reading, Texts};
use crate::path::Path;
use crate::registers::lanes;
use crate::row_error::RowError;
use crate::rows::Rows;
use crate::spares::{Loan, Spares};
use crate::strokes::Strokes;
use crate::threads::Threads;

/// A reader that is ready, with memory for each thread that reads.
pub struct Reader {
    level: Level,
    layers: Layers,
    idle: Spares<Scratch>,
}

/// What one thread works on.
struct Scratch {
    path: Path,
    activations: Activations,
    forward: Forward,
}

impl Reader {
    /// Arranges a network for reading.
    ///
    /// # Errors
    /// When the tensors do not fit together.
    pub fn new(network: &ReaderNetwork) -> Result<Self, ReaderError> {
        Self::with_level(network, Level::new())
    }

    fn with_level(network: &ReaderNetwork, level: Level) -> Result<Self, ReaderError> {
        network.check()?;
        let lanes = dispatch!(level, simd => lanes(simd));
        Ok(Reader { level, layers: Layers::new(network, lanes), idle: Spares::new() })
    }

    /// Outputs of a frame: the blank and the letters.
    pub fn outputs(&self) -> usize {
        self.layers.outputs()
    }

    /// Whether all codes are letters of this reader.
    pub fn knows(&self, codes: &[u16]) -> bool {
        are_letters(codes, self.outputs())
    }

    /// Reads `range` of `rows`, and compares each with its text. Bad rows are returned in order with what is wrong with
    /// them, and have no reading.
    ///
    /// # Panics
    /// If `texts` are not as many as the rows of the range, or have a letter that the reader does not know.
    pub fn read(
        &self,
        rows: &dyn Rows,
        range: Range<usize>,
        texts: Option<Texts>,
        threads: &Threads,
    ) -> (Vec<Option<Reading>>, Vec<(usize, RowError)>) {
        assert!(texts.is_none_or(|texts| texts.len() == range.len()), "a text for each row");
        assert!(texts.is_none_or(|texts| texts.are_within(self.outputs())), "letters that the reader knows");
        let start = range.start;
        let work = |scratch: &mut Loan<Scratch>, index: usize| {
            let codes = texts.map_or(&[][..], |texts| texts.get(index - start));
            rows.row(index).and_then(|strokes| self.reading(&strokes, codes, scratch.get(), &mut || ()))
        };
        let outcomes = threads.map(range.clone().collect(), || self.borrow(), work);
        let mut problems = Vec::new();
        let readings = range.zip(outcomes).map(|(index, outcome)| match outcome {
            Ok(reading) => Some(reading),
            Err(error) => {
                problems.push((index, error));
                None
            }
        });
        (readings.collect(), problems)
    }

    /// The log-probabilities of a row, [frames][outputs].
    ///
    /// # Errors
    /// [`RowError::TooLongToRead`].
    pub fn log_probabilities(&self, strokes: &Strokes) -> Result<Vec<f32>, RowError> {
        self.with_probabilities(strokes, |probabilities| probabilities.frames().flatten().copied().collect())
    }

    /// Where each letter of a text is; nothing where the path is too short for it.
    ///
    /// # Errors
    /// [`RowError::TooLongToRead`].
    ///
    /// # Panics
    /// If the text has a letter that the reader does not know.
    pub fn align(&self, strokes: &Strokes, codes: &[u16]) -> Result<Vec<AlignedLetter>, RowError> {
        assert!(self.knows(codes), "letters that the reader knows");
        self.with_probabilities(strokes, |probabilities| probabilities.align(codes))
    }

    /// Where the time of reading rows on the current thread goes, stage by stage. Bad rows are passed over.
    ///
    /// # Panics
    /// As [`Reader::read`].
    pub fn profile(&self, rows: &dyn Rows, texts: Texts) -> [(&'static str, Duration); 5] {
        assert!(texts.len() == rows.len(), "a text for each row");
        assert!(texts.are_within(self.outputs()), "letters that the reader knows");
        let names = ["path", "stem", "blocks", "head and softmax", "texts"];
        let mut stages = names.map(|name| (name, Duration::ZERO));
        let mut scratch = self.borrow();
        for index in 0..rows.len() {
            let mut times = vec![Instant::now()];
            let lap = &mut || times.push(Instant::now());
            let read = rows.row(index).and_then(|strokes| self.reading(&strokes, texts.get(index), scratch.get(), lap));
            if read.is_ok() {
                lap();
                stages.iter_mut().zip(times.windows(2)).for_each(|(stage, times)| stage.1 += times[1] - times[0]);
            }
        }
        stages
    }

    fn borrow(&self) -> Loan<'_, Scratch> {
        self.idle.borrow(|| Scratch {
            path: Path::default(),
            activations: self.layers.activations(),
            forward: Forward::default(),
        })
    }

    fn with_probabilities<T>(
        &self,
        strokes: &Strokes,
        work: impl FnOnce(LogProbabilities) -> T,
    ) -> Result<T, RowError> {
        let mut scratch = self.borrow();
        let Scratch { path, activations, .. } = scratch.get();
        path.trace(strokes)?;
        Ok(work(dispatch!(self.level, simd => self.layers.run(simd, path.samples(), activations, &mut || ()))))
    }

    /// The one place where the layers are compiled for reading, once for each instruction set.
    fn reading(
        &self,
        strokes: &Strokes,
        codes: &[u16],
        scratch: &mut Scratch,
        lap: &mut dyn FnMut(),
    ) -> Result<Reading, RowError> {
        let Scratch { path, activations, forward } = scratch;
        path.trace(strokes)?;
        lap();
        Ok(dispatch!(self.level, simd => {
            let probabilities = self.layers.run(simd, path.samples(), activations, lap);
            Reading::of(simd, probabilities, codes, forward)
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::path::CHANNELS;
    use crate::reader::{Convolution, ReaderBlock};
    use crate::rows::OwnedRows;
    use crate::testing::{MadeNumbers, levels};

    /// A network of these channels in the stem, with the kernel of the blocks and some outputs.
    fn network(channels: &[usize], kernel: usize, outputs: usize) -> ReaderNetwork {
        let mut numbers = MadeNumbers(7);
        let mut inputs = CHANNELS;
        let stem = channels.iter().zip([(9, 3), (7, 2), (5, 1)]).map(|(&outputs, (kernel, stride))| {
            let taps = kernel * std::mem::replace(&mut inputs, outputs);
            let weights = numbers.take(outputs * taps, 2.0 / (taps as f64).sqrt());
            Convolution { kernel, stride, weights, bias: numbers.take(outputs, 0.3) }
        });
        let stem = stem.collect();
        let blocks = [1, 2, 4].map(|dilation| ReaderBlock {
            dilation,
            depthwise: numbers.take(inputs * kernel, 1.0 / (kernel as f64).sqrt()),
            mix: numbers.take(inputs * inputs, 1.0 / (inputs as f64).sqrt()),
            bias: numbers.take(inputs, 0.3),
        });
        let head = numbers.take(outputs * inputs, 2.0 / (inputs as f64).sqrt());
        ReaderNetwork { stem, blocks: blocks.into(), head, head_bias: numbers.take(outputs, 1.0) }
    }

    /// Waves with these numbers of points; every seventh row is bad.
    fn waves(counts: &[usize]) -> OwnedRows {
        let mut rows = OwnedRows::default();
        for (row, &count) in counts.iter().enumerate() {
            for point in 0..count {
                let at = point as f64;
                rows.push_point(0.1 * at, (at * (0.5 + 0.01 * row as f64)).sin() + 0.3 * (at * 0.21).cos());
                if point % 31 == 30 {
                    rows.end_stroke();
                }
            }
            rows.end_stroke();
            rows.end_row(if row % 7 == 6 { Err(RowError::NullRow) } else { Ok(()) });
        }
        rows
    }

    /// Frames [frames][channels] in float64, computed as the definition says.
    fn plain_convolution(input: &[Vec<f64>], layer: &Convolution) -> Vec<Vec<f64>> {
        let taps = layer.weights.len() / layer.bias.len();
        let inputs = taps / layer.kernel;
        let output = |frame: usize, output: usize| {
            let filter = &layer.weights[output * taps..][..taps];
            let mut sum = f64::from(layer.bias[output]);
            for (tap, weights) in filter.chunks_exact(inputs).enumerate() {
                if let Some(values) =
                    (frame * layer.stride + tap).checked_sub(layer.kernel / 2).and_then(|at| input.get(at))
                {
                    sum += values.iter().zip(weights).map(|(value, &weight)| value * f64::from(weight)).sum::<f64>();
                }
            }
            sum
        };
        (0..input.len().div_ceil(layer.stride))
            .map(|frame| (0..layer.bias.len()).map(|channel| output(frame, channel)).collect())
            .collect()
    }

    fn plain_log_probabilities(network: &ReaderNetwork, samples: &[[f32; CHANNELS]]) -> Vec<f64> {
        let rectified = |frames: Vec<Vec<f64>>| -> Vec<Vec<f64>> {
            frames.into_iter().map(|frame| frame.into_iter().map(|value| value.max(0.0)).collect()).collect()
        };
        let linear = |weights: &[f32], bias: &[f32]| Convolution {
            kernel: 1,
            stride: 1,
            weights: weights.to_vec(),
            bias: bias.to_vec(),
        };
        let mut x: Vec<Vec<f64>> = samples.iter().map(|sample| sample.map(f64::from).to_vec()).collect();
        for layer in &network.stem {
            x = rectified(plain_convolution(&x, layer));
        }
        for block in &network.blocks {
            let kernel = block.depthwise.len() / block.bias.len();
            let seen = |frame: usize, channel: usize| {
                let weights = &block.depthwise[channel * kernel..][..kernel];
                let taps = weights.iter().enumerate().filter_map(|(tap, &weight)| {
                    let at = (frame + tap * block.dilation).checked_sub(kernel / 2 * block.dilation)?;
                    Some(x.get(at)?[channel] * f64::from(weight))
                });
                taps.sum::<f64>()
            };
            let seen = |frame| (0..block.bias.len()).map(|channel| seen(frame, channel)).collect();
            let seen: Vec<Vec<f64>> = (0..x.len()).map(seen).collect();
            let mixed = plain_convolution(&seen, &linear(&block.mix, &block.bias));
            let sums = x.iter().zip(mixed).map(|(x, mixed)| x.iter().zip(mixed).map(|(x, mixed)| x + mixed).collect());
            x = rectified(sums.collect());
        }
        let frames = plain_convolution(&x, &linear(&network.head, &network.head_bias));
        let normalized = frames.into_iter().flat_map(|frame| {
            let total = frame.iter().map(|value| value.exp()).sum::<f64>().ln();
            frame.into_iter().map(move |value| value - total)
        });
        normalized.collect()
    }

    #[test]
    fn log_probabilities_are_those_of_the_definition() {
        let rows = waves(&[1, 2, 5, 9, 31, 80, 9, 200]);
        for (channels, kernel, outputs) in
            [(&[64, 128][..], 9, 79), (&[6, 8], 9, 5), (&[24], 3, 100), (&[33, 7, 70], 1, 2)]
        {
            let network = network(channels, kernel, outputs);
            for level in levels() {
                let reader = Reader::with_level(&network, level).unwrap();
                for row in (0..rows.len()).filter(|row| row % 7 != 6) {
                    let strokes = rows.row(row).unwrap();
                    let mut path = Path::default();
                    path.trace(&strokes).unwrap();
                    let expected = plain_log_probabilities(&network, path.samples());
                    let found = reader.log_probabilities(&strokes).unwrap();
                    assert_eq!(found.len(), expected.len());
                    for (found, expected) in found.iter().zip(expected) {
                        assert!((f64::from(*found) - expected).abs() < 1e-4, "row {row}: {found} is not {expected}");
                    }
                }
            }
        }
    }

    #[test]
    fn threads_and_batches_give_the_same_readings() {
        let network = network(&[16, 32], 9, 12);
        let reader = Reader::new(&network).unwrap();
        let counts: Vec<usize> = (0..23).map(|row| 1 + row * 37 % 150).collect();
        let rows = waves(&counts);
        let codes: Vec<u16> = (0..23 * 4).map(|code| 1 + code % 11).collect();
        let offsets: Vec<i64> = (0..=23).map(|row| if row < 5 { 0 } else { row * 4 }).collect();
        let texts = Texts::new(&codes, &offsets).unwrap();
        let (expected, problems) = reader.read(&rows, 0..23, Some(texts), &Threads::CALLER);
        assert_eq!(problems.iter().map(|problem| problem.0).collect::<Vec<_>>(), [6, 13, 20]);
        for (row, reading) in expected.iter().enumerate() {
            let Some(reading) = reading else { continue };
            assert_eq!(reading.text_loss.is_nan(), row < 4, "row {row}");
            assert!(reading.text_loss.is_nan() || reading.text_loss > 0.0);
            assert!(reading.reading_loss > 0.0);
        }
        for threads in [2, 3] {
            let (found, _) = reader.read(&rows, 0..23, Some(texts), &Threads::new(threads).unwrap());
            assert_eq!(format!("{found:?}"), format!("{expected:?}"), "{threads} threads");
        }
        let (found, _) = reader.read(&rows, 9..11, None, &Threads::CALLER);
        assert_eq!(found[1].as_ref().unwrap().codes, expected[10].as_ref().unwrap().codes);
    }

    #[test]
    fn rows_that_are_too_long_cost_themselves_only() {
        let reader = Reader::new(&network(&[16, 32], 9, 12)).unwrap();
        let rows = waves(&[50, 60_000, 50]);
        let (readings, problems) = reader.read(&rows, 0..3, None, &Threads::CALLER);
        assert!(readings[0].is_some() && readings[1].is_none() && readings[2].is_some());
        assert!(matches!(problems[..], [(1, RowError::TooLongToRead { samples: 4097.. })]));
    }

    #[test]
    fn tensors_that_do_not_fit_are_named() {
        let refused = |change: fn(&mut ReaderNetwork)| {
            let mut network = network(&[6, 8], 9, 5);
            change(&mut network);
            Reader::new(&network).err().map(|error| error.to_string()).unwrap_or_default()
        };
        assert!(refused(|network| network.stem.clear()).contains("layers of the stem"));
        assert!(refused(|network| network.stem[1].kernel = 6).contains("stem 1, kernel: expected an odd number"));
        assert!(refused(|network| network.stem[0].stride = 0).contains("stem 0, stride"));
        assert!(refused(|network| network.stem[0].bias.clear()).contains("stem 0, channels"));
        assert!(refused(|network| network.blocks[2].dilation = usize::MAX).contains("block 2, dilation"));
        assert!(refused(|network| network.blocks[1].mix.truncate(63)).contains("block 1, mix weights: expected 64"));
        assert!(refused(|network| network.head.clear()).contains("head weights"));
        assert_eq!(refused(|_| ()), "");
    }
}
