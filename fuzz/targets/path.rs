//! The path of the pen and the reader: any row that can be drawn has a bounded path, and any text has a loss.

#![no_main]

use std::cell::RefCell;

use libfuzzer_sys::arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use penpal_core::limits::MAX_SAMPLES;
use penpal_core::path::{CHANNELS, Path};
use penpal_core::reader::{Convolution, Reader, ReaderBlock, ReaderNetwork, Reading, Texts};
use penpal_core::{RowError, Threads};
use penpal_fuzz::check;
use penpal_fuzz::ink::Ink;
use penpal_fuzz::numbers::Numbers;

/// Largest number of a sample: the reach of a lift.
const LARGEST: f32 = 4.0;

const CHANNELS_OF_BLOCKS: usize = 12;
const OUTPUTS: usize = 6;
const MAX_LETTERS: usize = 12;

/// Losses of sure readings are a little less than 0 after rounding.
const ROUNDING: f32 = 1e-3;

struct State {
    path: Path,
    reader: Reader,
}

thread_local! {
    static STATE: RefCell<State> = RefCell::new(State { path: Path::default(), reader: reader() });
}

fuzz_target!(|data: &[u8]| {
    STATE.with_borrow_mut(|state| execute(state, data)).expect("inputs never run out of numbers");
});

fn reader() -> Reader {
    let mut numbers = Numbers(7);
    let mut any = |count: usize| -> Vec<f32> {
        (0..count).map(|_| (numbers.next() >> 40) as f32 / (1 << 24) as f32 * 2.0 - 1.0).collect()
    };
    let stem = Convolution {
        kernel: 9,
        stride: 3,
        weights: any(CHANNELS_OF_BLOCKS * 9 * CHANNELS),
        bias: any(CHANNELS_OF_BLOCKS),
    };
    let block = ReaderBlock {
        dilation: 2,
        depthwise: any(CHANNELS_OF_BLOCKS * 5),
        mix: any(CHANNELS_OF_BLOCKS * CHANNELS_OF_BLOCKS),
        bias: any(CHANNELS_OF_BLOCKS),
    };
    let network = ReaderNetwork {
        stem: vec![stem],
        blocks: vec![block],
        head: any(OUTPUTS * CHANNELS_OF_BLOCKS),
        head_bias: any(OUTPUTS),
    };
    Reader::new(&network).expect("tensors fit")
}

fn execute(state: &mut State, data: &[u8]) -> Result<()> {
    let input = &mut Unstructured::new(data);
    let letters = input.choose_index(MAX_LETTERS)?;
    let codes: Vec<u16> =
        (0..letters).map(|_| Ok(1 + input.choose_index(OUTPUTS - 1)? as u16)).collect::<Result<_>>()?;
    let ink = Ink::hostile(input)?;
    let Ok(strokes) = ink.strokes() else { return Ok(()) };
    if let Err(error) = state.path.trace(&strokes) {
        check!(matches!(error, RowError::TooLongToRead { samples } if samples > MAX_SAMPLES), "{error}");
        return Ok(());
    }
    let samples = state.path.samples();
    check!(samples.len() <= MAX_SAMPLES && samples.len() == state.path.places().len(), "{} samples", samples.len());
    for number in samples.as_flattened() {
        check!(number.is_finite() && number.abs() <= LARGEST, "a sample has {number}");
    }
    let places = state.path.places();
    check!(places.is_sorted_by_key(|place| place.stroke), "strokes out of order");
    check!(
        places.iter().all(|place| place.position >= 0.0 && place.position.is_finite()),
        "a position is not in a stroke"
    );

    let values = state.reader.log_probabilities(&strokes).expect("it has a path");
    check!(values.iter().all(|value| value.is_finite()), "a log-probability is not finite");
    let offsets = [0, codes.len() as i64];
    let texts = Texts::new(&codes, &offsets).expect("offsets rise");
    let reading = &Reading::of_rows(&[&values], OUTPUTS, Some(texts), &Threads::CALLER)[0];
    check!(reading.reading_loss >= -ROUNDING, "a reading has the loss {}", reading.reading_loss);
    check!(codes.is_empty() == reading.text_loss.is_nan(), "a text of {} letters", codes.len());
    check!(codes.is_empty() || reading.text_loss >= -ROUNDING, "a text has the loss {}", reading.text_loss);
    let aligned = state.reader.align(&strokes, &codes).expect("it has a path");
    let can_be_said = reading.text_loss.is_finite();
    check!(aligned.len() == if can_be_said { codes.len() } else { 0 }, "{} letters of {}", aligned.len(), codes.len());
    check!(aligned.windows(2).all(|pair| pair[0].end == pair[1].start), "letters apart");
    Ok(())
}
