//! The native engine: skipping what the ink does not change gives the same bits, for any ink and any network.

#![no_main]

use std::cell::RefCell;

use libfuzzer_sys::arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use penpal_core::network::structure::{Shape, Unit};
use penpal_core::{
    Canvas, Engine, LineWidth, Network, PIXELS, RowError, Rows, SIDE, Scratch, Strokes, Structure, Threads, render,
};
use penpal_fuzz::check;
use penpal_fuzz::ink::Ink;
use penpal_fuzz::numbers::{Numbers, hash, number, tame_number};

/// Channels of the stem and the blocks, which use every kernel. The first are the bundled network's.
const SHAPES: [&[usize]; 5] = [&[4, 8, 16, 32, 32], &[4, 8, 8, 16], &[1, 1], &[4, 4, 4, 4, 4, 4, 4], &[3, 5, 9]];

/// There is an engine for each shape, kind of shortcut and line width.
const LINE_WIDTHS: [f64; 2] = [1.5, 20.0];

/// The rows of one input in this many are scored on threads too.
const ON_THREADS: u64 = 1024;

struct State {
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
                let any = || Ok((numbers.next() >> 40) as f32 / (1 << 24) as f32 * 2.0 - 1.0);
                let network = network(channels, projection, any).expect("numbers never run out");
                engines.push((Engine::new(&network, width).expect("tensors fit"), width));
            }
        }
        let canvas = vec![0.0; PIXELS].try_into().expect("PIXELS floats");
        State { engines, canvas, scratch: Scratch::default() }
    }
}

thread_local! {
    static STATE: RefCell<State> = RefCell::new(State::new());
}

fuzz_target!(|data: &[u8]| {
    STATE.with_borrow_mut(|state| execute(state, data)).expect("inputs never run out of numbers");
});

fn network(channels: &[usize], projection: bool, mut any: impl FnMut() -> Result<f32>) -> Result<Network> {
    let mut numbers = |count, scale| (0..count).map(|_| Ok(any()? * scale)).collect::<Result<Vec<f32>>>();
    let structure = Structure::new(channels[0], &channels[1..], projection);
    let layer = |unit: &Unit| {
        let Shape { outputs, kernel, inputs, .. } = unit.shape;
        let scale = 1.5 / ((kernel * kernel * inputs) as f32).sqrt();
        Ok((numbers(unit.shape.weights(), scale)?, numbers(outputs, 0.3)?))
    };
    let layers = structure.units.iter().map(layer).collect::<Result<_>>()?;
    let head = numbers(structure.last_channels(), 1.5)?;
    Ok(Network { structure, layers, head, head_bias: 0.25 })
}

fn execute(state: &mut State, data: &[u8]) -> Result<()> {
    let mut input = Unstructured::new(data);
    let (kind, choice): (u8, u8) = (input.arbitrary()?, input.arbitrary()?);
    match kind {
        0..=199 => score_row(state, &mut input, usize::from(choice), hash(data)),
        200..=229 => score_picture(state, &mut input, usize::from(choice)),
        _ => score_with_any_network(state, &mut input, choice),
    }
}

/// One row, borrowed.
struct Row<'a>(&'a Ink, usize);

impl Rows for Row<'_> {
    fn len(&self) -> usize {
        self.1
    }

    fn row(&self, _: usize) -> std::result::Result<Strokes<'_>, RowError> {
        self.0.strokes()
    }

    fn word_lengths(&self, _: usize) -> Vec<usize> {
        unimplemented!("scores do not depend on words")
    }
}

fn score_row(state: &mut State, input: &mut Unstructured, choice: usize, seed: u64) -> Result<()> {
    let State { engines, canvas, scratch } = state;
    let (engine, line_width) = &engines[choice % engines.len()];
    let ink = Ink::tame(input)?;
    let sparse = engine.logits(&Row(&ink, 1), 0..1, &Threads::CALLER);
    let strokes = match ink.strokes() {
        Ok(strokes) => strokes,
        Err(error) => {
            check!(sparse.0[0].is_nan() && sparse.1 == [(0, error)], "a bad row with the logit {sparse:?}");
            return Ok(());
        }
    };
    render(&strokes, *line_width, canvas, scratch);
    let dense = engine.dense_logit(&canvas[..]);
    check!(sparse.0[0].to_bits() == dense.to_bits(), "sparse {sparse:?}, dense {dense}");
    check!(dense.is_finite(), "logit {dense}");
    if seed.is_multiple_of(ON_THREADS) {
        let threads = Threads::new(3).expect("threads can be started");
        let (logits, problems) = engine.logits(&Row(&ink, 7), 0..7, &threads);
        check!(problems.is_empty() && logits == [dense; 7], "{logits:?} on threads where {dense} was expected");
        check!(engine.picture_logits(&canvas[..], &threads) == [dense], "the picture has another logit");
    }
    Ok(())
}

/// A picture of any pixels, not of lines.
fn score_picture(state: &mut State, input: &mut Unstructured, choice: usize) -> Result<()> {
    let State { engines, canvas, .. } = state;
    let (engine, _) = &engines[choice % engines.len()];
    canvas.fill(0.0);
    for _ in 0..input.choose_index(12)? {
        let (place, run) = (usize::from(input.arbitrary::<u16>()?) % PIXELS, 1 + input.choose_index(9)?);
        let value = tame_number(input)? as f32;
        for (index, step) in (0..run).zip((0..).step_by(if run > 4 { SIDE } else { 1 })) {
            canvas[(place + step) % PIXELS] = value / (1 + index) as f32;
        }
    }
    let (sparse, dense) = (engine.picture_logits(&canvas[..], &Threads::CALLER)[0], engine.dense_logit(&canvas[..]));
    check!(
        sparse.to_bits() == dense.to_bits() || (sparse.is_nan() && dense.is_nan()),
        "sparse {sparse}, dense {dense}"
    );
    Ok(())
}

/// A network of any numbers, also infinite ones, whose tensors may not fit its structure.
fn score_with_any_network(state: &mut State, input: &mut Unstructured, choice: u8) -> Result<()> {
    const SMALL: [&[usize]; 6] = [&[1, 1], &[1, 2], &[4, 8], &[2, 3, 5], &[4, 4], &[8, 16]];
    let State { canvas, scratch, .. } = state;
    let channels = SMALL[usize::from(choice & 0x0f) % SMALL.len()];
    let ink = Ink::tame(input)?;
    let mut numbers = Numbers(input.arbitrary::<u64>()? | 1);
    let any = || {
        let any = if input.is_empty() { f64::from(numbers.next() as i32) / 2e9 } else { number(input)? };
        Ok(any as f32)
    };
    let mut network = network(channels, choice & 0x10 != 0, any)?;
    let fits = choice & 0xe0 != 0xe0;
    if !fits {
        network.layers[2].1.push(1.0);
    }
    let line_width = LineWidth::new(1.5).expect("in range");
    let Ok(engine) = Engine::new(&network, line_width) else {
        check!(!fits, "a network whose tensors fit was refused");
        return Ok(());
    };
    check!(fits, "a network whose tensors do not fit was taken");
    let Ok(strokes) = ink.strokes() else { return Ok(()) };
    render(&strokes, line_width, canvas, scratch);
    let (sparse, dense) = (engine.logits(&Row(&ink, 1), 0..1, &Threads::CALLER).0[0], engine.dense_logit(&canvas[..]));
    check!(
        sparse.to_bits() == dense.to_bits() || (sparse.is_nan() && dense.is_nan()),
        "sparse {sparse}, dense {dense}"
    );
    Ok(())
}
