//! `Reader`: the reader in Rust.

use numpy::{
    IntoPyArray, PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray1, PyReadonlyArray3, PyUntypedArrayMethods,
};
use penpal_core::Strokes;
use penpal_core::path::{CHANNELS, Path};
use penpal_core::reader::{Convolution, Reader as CoreReader, ReaderBlock, ReaderNetwork, Reading, Texts};
use pyo3::prelude::*;

use crate::arrays::numbers;
use crate::errors::{RowProblem, penpal_error, row_error, row_problem};
use crate::rows::Rows;
use crate::threads::start_threads;

type Array<'py, T> = Bound<'py, PyArray1<T>>;
type Input<'py> = PyReadonlyArray1<'py, f32>;

/// The codes of all texts, and where each begins and the last ends.
type TextArrays<'py> = (PyReadonlyArray1<'py, u16>, PyReadonlyArray1<'py, i64>);

/// Losses of the texts and of the readings, misfits of the texts, codes of all readings and where each begins, bad rows.
type Readings<'py> =
    (Array<'py, f32>, Array<'py, f32>, Array<'py, f32>, Array<'py, u16>, Array<'py, i64>, Vec<RowProblem>);

/// Samples [N, 5] of a path, and for each its stroke and the position in it.
type Traced<'py> = (Bound<'py, PyArray2<f32>>, Array<'py, i64>, Array<'py, f64>);

/// A reader, arranged for reading.
#[pyclass(frozen, module = "penpal_fast._core")]
pub struct Reader {
    reader: CoreReader,
}

#[pymethods]
impl Reader {
    /// A reader from its folded layers, all flattened: each convolution of the stem as (kernel, stride, weights
    /// [outputs, kernel, inputs], bias), each block as (dilation, depthwise weights [channels, kernel], mix [channels,
    /// channels], bias), and the head's weights [outputs, channels] and bias.
    #[new]
    fn new(
        py: Python<'_>,
        stem: Vec<(usize, usize, Input, Input)>,
        blocks: Vec<(usize, Input, Input, Input)>,
        head: (Input, Input),
    ) -> PyResult<Self> {
        let owned = |array: &Input| numbers(py, array, "a tensor").map(<[f32]>::to_vec);
        let stem = stem.iter().map(|(kernel, stride, weights, bias)| {
            Ok(Convolution { kernel: *kernel, stride: *stride, weights: owned(weights)?, bias: owned(bias)? })
        });
        let blocks = blocks.iter().map(|(dilation, depthwise, mix, bias)| {
            Ok(ReaderBlock { dilation: *dilation, depthwise: owned(depthwise)?, mix: owned(mix)?, bias: owned(bias)? })
        });
        let network = ReaderNetwork {
            stem: stem.collect::<PyResult<_>>()?,
            blocks: blocks.collect::<PyResult<_>>()?,
            head: owned(&head.0)?,
            head_bias: owned(&head.1)?,
        };
        let reader = CoreReader::new(&network).map_err(|error| penpal_error(py, error.to_string()))?;
        Ok(Reader { reader })
    }

    /// The log-probabilities of a row, float32 [frames, outputs].
    fn log_probabilities<'py>(&self, py: Python<'py>, rows: &Rows, row: usize) -> PyResult<Bound<'py, PyArray2<f32>>> {
        let strokes = strokes_of(py, rows, row)?;
        let values = py.detach(|| self.reader.log_probabilities(&strokes));
        let values = values.map_err(|error| row_error(py, row, error))?;
        let frames = values.len() / self.reader.outputs();
        PyArray1::from_vec(py, values).reshape([frames, self.reader.outputs()])
    }

    /// Where each letter of a text is in a row, as (first frame, one past the last, deficit); nothing where the path is
    /// too short for the text.
    fn align(
        &self,
        py: Python<'_>,
        rows: &Rows,
        row: usize,
        codes: PyReadonlyArray1<'_, u16>,
    ) -> PyResult<Vec<(usize, usize, f64)>> {
        let codes = codes.as_slice()?;
        if !self.reader.knows(codes) {
            return Err(codes_error(py, self.reader.outputs()));
        }
        let strokes = strokes_of(py, rows, row)?;
        let letters = py.detach(|| self.reader.align(&strokes, codes)).map_err(|error| row_error(py, row, error))?;
        Ok(letters.into_iter().map(|letter| (letter.start, letter.end, letter.deficit)).collect())
    }

    /// Reads the `count` rows from `start` on. `texts` are the codes of all their texts, and where each begins and the
    /// last ends; a text without codes is none.
    ///
    /// Returns for each row the text's loss, float32, NaN without a text; the loss of what the row seems to say, float32;
    /// and the text's misfit, float32, NaN without a text; then the codes of all readings, uint16, and where each begins
    /// and the last ends, int64; and the bad rows as (row, stroke, reason, text), whose losses are NaN and readings
    /// empty. 0 threads means one for each processor.
    #[pyo3(signature = (rows, start, count, texts, threads))]
    fn read<'py>(
        &self,
        py: Python<'py>,
        rows: &Rows,
        start: usize,
        count: usize,
        texts: Option<TextArrays<'py>>,
        threads: usize,
    ) -> PyResult<Readings<'py>> {
        let range = rows.checked_range(py, start, count)?;
        let texts = texts_of(py, texts.as_ref(), count, self.reader.outputs())?;
        let threads = start_threads(py, threads)?;
        let (readings, problems) = py.detach(|| self.reader.read(rows.source(), range, texts, &threads));
        Ok(packed(py, &readings, problems.into_iter().map(row_problem).collect()))
    }

    /// Where the time of reading rows and comparing them with `texts` goes on one thread, as (stage, seconds); bad rows
    /// are passed over.
    fn profile(&self, py: Python<'_>, rows: &Rows, texts: TextArrays<'_>) -> PyResult<Vec<(&'static str, f64)>> {
        let texts = checked_texts(py, &texts, rows.source().len(), self.reader.outputs())?;
        let stages = py.detach(|| self.reader.profile(rows.source(), texts));
        Ok(stages.into_iter().map(|(name, time)| (name, time.as_secs_f64())).collect())
    }
}

/// The path of a row: its samples, float32 [N, 5], and where each begins: the stroke, and the position in it in points.
#[pyfunction]
pub fn path<'py>(py: Python<'py>, rows: &Rows, row: usize) -> PyResult<Traced<'py>> {
    let strokes = strokes_of(py, rows, row)?;
    let mut path = Path::default();
    py.detach(|| path.trace(&strokes)).map_err(|error| row_error(py, row, error))?;
    let samples = PyArray1::from_slice(py, path.samples().as_flattened()).reshape([path.samples().len(), CHANNELS])?;
    let strokes = path.places().iter().map(|place| place.stroke as i64).collect::<Vec<_>>();
    let positions = path.places().iter().map(|place| place.position).collect::<Vec<_>>();
    Ok((samples, strokes.into_pyarray(py), positions.into_pyarray(py)))
}

fn strokes_of<'a>(py: Python<'_>, rows: &'a Rows, row: usize) -> PyResult<Strokes<'a>> {
    rows.checked_range(py, row, 1)?;
    rows.source().row(row).map_err(|error| row_error(py, row, error))
}

/// Reads rows whose log-probabilities, float32 [rows, frames, outputs], were computed elsewhere; `frames` says how many
/// each row has. Returns the same as `Reader.read`, but for bad rows.
#[pyfunction]
#[pyo3(signature = (log_probabilities, frames, texts, threads))]
pub fn read_probabilities<'py>(
    py: Python<'py>,
    log_probabilities: PyReadonlyArray3<'py, f32>,
    frames: PyReadonlyArray1<'py, i64>,
    texts: Option<TextArrays<'py>>,
    threads: usize,
) -> PyResult<Readings<'py>> {
    let &[count, most, outputs] = log_probabilities.shape() else { unreachable!("three dimensions") };
    let frames = frames.as_slice()?;
    if !(1..=1 << u16::BITS).contains(&outputs) {
        return Err(penpal_error(py, format!("there must be 1 to 65,536 outputs, got {outputs}")));
    }
    if frames.len() != count || !frames.iter().all(|&frames| (0..=most as i64).contains(&frames)) {
        return Err(penpal_error(py, "frames must be one number for each row, from 0 to those that there are"));
    }
    let values = log_probabilities.as_slice()?;
    let texts = texts_of(py, texts.as_ref(), count, outputs)?;
    let threads = start_threads(py, threads)?;
    let rows = |row: usize| &values[row * most * outputs..][..frames[row] as usize * outputs];
    let readings = py.detach(|| {
        let rows: Vec<&[f32]> = (0..count).map(rows).collect();
        Reading::of_rows(&rows, outputs, texts, &threads)
    });
    let readings: Vec<Option<Reading>> = readings.into_iter().map(Some).collect();
    Ok(packed(py, &readings, Vec::new()))
}

/// Puts readings into arrays.
fn packed<'py>(py: Python<'py>, readings: &[Option<Reading>], problems: Vec<RowProblem>) -> Readings<'py> {
    let column = |value: fn(&Reading) -> f32| {
        let values = readings.iter().map(|reading| reading.as_ref().map_or(f32::NAN, value));
        values.collect::<Vec<_>>().into_pyarray(py)
    };
    let (mut codes, mut offsets) = (Vec::new(), vec![0]);
    for reading in readings {
        codes.extend(reading.iter().flat_map(|reading| &reading.codes));
        offsets.push(codes.len() as i64);
    }
    (
        column(|reading| reading.text_loss),
        column(|reading| reading.reading_loss),
        column(|reading| reading.misfit),
        codes.into_pyarray(py),
        offsets.into_pyarray(py),
        problems,
    )
}

fn texts_of<'a>(
    py: Python<'_>,
    texts: Option<&'a TextArrays<'_>>,
    count: usize,
    outputs: usize,
) -> PyResult<Option<Texts<'a>>> {
    texts.map(|texts| checked_texts(py, texts, count, outputs)).transpose()
}

/// Refuses letters that the reader does not have, and texts that are not one for each row.
fn checked_texts<'a>(
    py: Python<'_>,
    (codes, offsets): &'a TextArrays<'_>,
    count: usize,
    outputs: usize,
) -> PyResult<Texts<'a>> {
    let texts = Texts::new(codes.as_slice()?, offsets.as_slice()?).filter(|texts| texts.len() == count);
    let wrong = || penpal_error(py, "texts must have rising offsets within the codes, one more than rows");
    let texts = texts.ok_or_else(wrong)?;
    if texts.are_within(outputs) { Ok(texts) } else { Err(codes_error(py, outputs)) }
}

fn codes_error(py: Python<'_>, outputs: usize) -> PyErr {
    penpal_error(py, format!("codes must be from 1 to {}", outputs - 1))
}
