//! The native engine: what it computes of a picture has the bits of computing everything, for any ink and any network.

#![no_main]

use std::cell::RefCell;

use libfuzzer_sys::fuzz_target;
use penpal_core::{
    Block, Canvas, Engine, LineWidth, Network, PIXELS, RowError, Rows, SIDE, Scratch, Shortcut, Strokes, Threads,
    render,
};
use penpal_fuzz::bytes::{Bytes, Numbers, hash};
use penpal_fuzz::check;
use penpal_fuzz::ink::Ink;

/// Channels of the stem and the blocks; the first are the bundled network's. Every kernel is in one.
const SHAPES: [&[usize]; 5] = [&[4, 8, 16, 32, 32], &[4, 8, 8, 16], &[1, 1], &[4, 4, 4, 4, 4, 4, 4], &[3, 5, 9]];

/// An engine of a shape for each kind of shortcut and each line width.
const LINE_WIDTHS: [f64; 2] = [1.5, 20.0];

/// Of every so many inputs, rows are scored on threads too.
const ON_THREADS: u64 = 1024;

struct State {
    ink: Ink,
    engines: Vec<(Engine, LineWidth)>,
    canvas: Box<Canvas>,
    scratch: Scratch,
}

impl State {
    fn new() -> Self {
        let mut engines = Vec::new();
        for channels in SHAPES {
            for (projection, width) in [(false, 0), (true, 0), (false, 1), (true, 1)] {
                let width = LineWidth::new(LINE_WIDTHS[width]).expect("in range");
                let mut numbers = Numbers(99);
                let any = || (numbers.next() >> 40) as f32 / (1 << 24) as f32 * 2.0 - 1.0;
                let network = network(channels, projection, any);
                engines.push((Engine::new(&network, width).expect("tensors fit"), width));
            }
        }
        let canvas = vec![0.0; PIXELS].try_into().expect("PIXELS floats");
        State { ink: Ink::default(), engines, canvas, scratch: Scratch::default() }
    }
}

thread_local! {
    static STATE: RefCell<State> = RefCell::new(State::new());
}

fuzz_target!(|data: &[u8]| STATE.with_borrow_mut(|state| execute(state, data)));

fn network(channels: &[usize], projection: bool, mut any: impl FnMut() -> f32) -> Network {
    let mut convolution = |inputs: usize, outputs: usize, kernel: usize| {
        let taps = kernel * kernel * inputs;
        let scale = 1.5 / (taps as f32).sqrt();
        let weights: Vec<f32> = (0..taps * outputs).map(|_| any() * scale).collect();
        (weights, (0..outputs).map(|_| any() * 0.3).collect::<Vec<_>>())
    };
    let stem = convolution(1, channels[0], 3);
    let blocks = channels.windows(2).map(|pair| Block {
        outputs: pair[1],
        first: convolution(pair[0], pair[1], 3),
        second: convolution(pair[1], pair[1], 3),
        shortcut: if projection {
            let (weights, bias) = convolution(pair[0], pair[1], 1);
            Shortcut::Projection(weights, bias)
        } else {
            Shortcut::Identity
        },
    });
    let blocks: Vec<_> = blocks.collect();
    let (head, _) = convolution(1, channels[channels.len() - 1], 1);
    Network { channels: channels[0], stem, blocks, head, head_bias: 0.25 }
}

fn execute(state: &mut State, data: &[u8]) {
    let mut bytes = Bytes::new(data);
    let (kind, choice) = (bytes.byte(), bytes.byte());
    match kind {
        0..=199 => score_row(state, &mut bytes, usize::from(choice), hash(data)),
        200..=229 => score_picture(state, &mut bytes, usize::from(choice)),
        _ => score_with_any_network(state, &mut bytes, choice),
    }
}

/// One row, borrowed.
struct Row<'a>(&'a Ink, usize);

impl Rows for Row<'_> {
    fn len(&self) -> usize {
        self.1
    }

    fn row(&self, _: usize) -> Result<Strokes<'_>, RowError> {
        self.0.strokes()
    }

    fn word_lengths(&self, _: usize) -> Vec<usize> {
        unimplemented!("scores do not depend on words")
    }
}

fn score_row(state: &mut State, bytes: &mut Bytes, choice: usize, seed: u64) {
    let State { ink, engines, canvas, scratch } = state;
    let (engine, line_width) = &engines[choice % engines.len()];
    ink.read_tame(bytes);
    let sparse = engine.logits(&Row(ink, 1), 0..1, &Threads::CALLER);
    let strokes = match ink.strokes() {
        Ok(strokes) => strokes,
        Err(error) => {
            return check!(sparse.0[0].is_nan() && sparse.1 == [(0, error)], "a bad row with the logit {sparse:?}");
        }
    };
    render(&strokes, *line_width, canvas, scratch);
    let dense = engine.dense_logit(&canvas[..]);
    check!(sparse.0[0].to_bits() == dense.to_bits(), "sparse {sparse:?}, dense {dense}");
    check!(dense.is_finite(), "logit {dense}");
    if seed.is_multiple_of(ON_THREADS) {
        let threads = Threads::new(3).expect("threads can be started");
        let (logits, problems) = engine.logits(&Row(ink, 7), 0..7, &threads);
        check!(problems.is_empty() && logits == [dense; 7], "{logits:?} on threads where {dense} was expected");
        check!(engine.picture_logits(&canvas[..], &threads) == [dense], "the picture has another logit");
    }
}

/// A picture of any pixels, not of lines.
fn score_picture(state: &mut State, bytes: &mut Bytes, choice: usize) {
    let State { engines, canvas, .. } = state;
    let (engine, _) = &engines[choice % engines.len()];
    canvas.fill(0.0);
    for _ in 0..bytes.below(12) {
        let (place, run) = (usize::from(u16::from_le_bytes(bytes.array())) % PIXELS, 1 + bytes.below(9));
        let value = bytes.tame_number() as f32;
        for (index, step) in (0..run).zip((0..).step_by(if run > 4 { SIDE } else { 1 })) {
            canvas[(place + step) % PIXELS] = value / (1 + index) as f32;
        }
    }
    let (sparse, dense) = (engine.picture_logits(&canvas[..], &Threads::CALLER)[0], engine.dense_logit(&canvas[..]));
    check!(
        sparse.to_bits() == dense.to_bits() || (sparse.is_nan() && dense.is_nan()),
        "sparse {sparse}, dense {dense}"
    );
}

/// A network of any numbers, infinite ones among them, whose tensors may not fit together.
fn score_with_any_network(state: &mut State, bytes: &mut Bytes, choice: u8) {
    const SMALL: [&[usize]; 6] = [&[1, 1], &[1, 2], &[4, 8], &[2, 3, 5], &[4, 4], &[8, 16]];
    let State { ink, canvas, scratch, .. } = state;
    let channels = SMALL[usize::from(choice & 0x0f) % SMALL.len()];
    ink.read_tame(bytes);
    let mut numbers = Numbers(u64::from_le_bytes(bytes.array()) | 1);
    let any = || {
        let number = if bytes.is_empty() { f64::from(numbers.next() as i32) / 2e9 } else { bytes.number() };
        number as f32
    };
    let mut network = network(channels, choice & 0x10 != 0, any);
    let fits = choice & 0xe0 != 0xe0;
    if !fits {
        network.blocks[0].second.1.push(1.0);
    }
    let line_width = LineWidth::new(1.5).expect("in range");
    let Ok(engine) = Engine::new(&network, line_width) else {
        return check!(!fits, "a network whose tensors fit was refused");
    };
    check!(fits, "a network whose tensors do not fit was taken");
    let Ok(strokes) = ink.strokes() else { return };
    render(&strokes, line_width, canvas, scratch);
    let (sparse, dense) = (engine.logits(&Row(ink, 1), 0..1, &Threads::CALLER).0[0], engine.dense_logit(&canvas[..]));
    check!(
        sparse.to_bits() == dense.to_bits() || (sparse.is_nan() && dense.is_nan()),
        "sparse {sparse}, dense {dense}"
    );
}
