"""The reader in Rust against the network in MLX and CTC in NumPy."""

from __future__ import annotations

import functools

import mlx.core as mx
import numpy as np
import pytest

from penpal_fast._core import Reader, Rows
from penpal_fast._core import path as core_path
from penpal_fast.errors import PenpalError
from penpal_fast.reading.config import ReaderConfig
from penpal_fast.reading.ctc import align, best_path, misfit, reading_loss, text_loss
from penpal_fast.reading.model import ReaderNetwork
from penpal_fast.reading.native import native_reader

CONFIGS = [
    ReaderConfig(),
    ReaderConfig(letters="abcd", stem_channels=(6, 8), dilations=(1, 2)),
    ReaderConfig(stem_channels=(24,), stem_kernels=(5,), stem_strides=(4,), block_kernel=5, dilations=(3,)),
]


@functools.cache
def network_of(number: int) -> ReaderNetwork:
    """A network with random weights that keep the activations of about one size."""
    network = ReaderNetwork(CONFIGS[number])
    random = np.random.default_rng(number)

    def drawn(values: np.ndarray) -> mx.array:
        taps = np.prod(values.shape[1:]) if values.ndim > 1 else 16
        return mx.array((random.normal(0, 1.2, values.shape) / np.sqrt(taps)).astype(np.float32))

    network.load_weights([(name, drawn(values)) for name, values in network.tensors().items()])
    return network


def reader_of(network: ReaderNetwork) -> Reader:
    return native_reader(network.config, network.tensors())


def written(points: int, seed: int) -> list[np.ndarray]:
    random = np.random.default_rng(seed)
    along = np.arange(points)
    x = 0.15 * along + random.normal(0, 0.02, points)
    y = np.sin(0.6 * along) + 0.2 * random.normal(0, 1, points)
    return np.array_split(np.stack([x, y], axis=1), max(points // 17, 1))


ROWS = [written(points, points) for points in (1, 2, 7, 40, 150, 333, 700)]


@pytest.mark.parametrize("number", range(len(CONFIGS)))
def test_log_probabilities_are_those_of_mlx(number: int) -> None:
    network = network_of(number)
    reader, rows = reader_of(network), Rows(ROWS)
    for row in range(len(ROWS)):
        samples = core_path(rows, row)[0]
        expected = np.array(network(mx.array(samples)[None]))[0]
        found = reader.log_probabilities(rows, row)
        assert found.dtype == np.float32
        assert found.shape == (network.config.frames(len(samples)), network.config.outputs)
        np.testing.assert_allclose(found, expected, atol=1e-3, rtol=0)


def texts_for(reader: Reader, rows: Rows, letters: int) -> list[list[int]]:
    """For each row what it seems to say, with a letter more, without one, or anything."""
    random = np.random.default_rng(5)
    texts = []
    for row in range(len(rows)):
        said = best_path(reader.log_probabilities(rows, row))
        changed = [said, [*said, 1], said[1:], random.integers(1, letters + 1, row + 1).tolist()]
        texts.append(changed[row % 4])
    return texts


def packed(texts: list[list[int]]) -> tuple[np.ndarray, np.ndarray]:
    codes = np.array([code for text in texts for code in text], dtype=np.uint16)
    return codes, np.cumsum([0, *map(len, texts)], dtype=np.int64)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("number", range(len(CONFIGS)))
def test_readings_are_those_of_ctc(number: int, threads: int) -> None:
    network = network_of(number)
    reader, rows = reader_of(network), Rows(ROWS)
    texts = texts_for(reader, rows, len(network.config.letters))
    losses, reading_losses, misfits, codes, offsets, problems = reader.read(rows, 0, len(ROWS), packed(texts), threads)
    assert problems == []
    assert any(np.isfinite(losses))
    for row, text in enumerate(texts):
        log_probabilities = reader.log_probabilities(rows, row)
        assert codes[offsets[row] : offsets[row + 1]].tolist() == best_path(log_probabilities)
        assert reading_losses[row] == pytest.approx(reading_loss(log_probabilities), rel=1e-6, abs=1e-4)
        if text:
            assert losses[row] == pytest.approx(text_loss(log_probabilities, text), rel=1e-6, abs=1e-4)
            assert misfits[row] == pytest.approx(misfit(log_probabilities, text), rel=1e-5, abs=1e-3)
        else:
            assert np.isnan(losses[row])
            assert np.isnan(misfits[row])


@pytest.mark.parametrize("number", range(len(CONFIGS)))
def test_alignments_are_those_of_ctc(number: int) -> None:
    network = network_of(number)
    reader, rows = reader_of(network), Rows(ROWS)
    for row, text in enumerate(texts_for(reader, rows, len(network.config.letters))):
        expected = align(reader.log_probabilities(rows, row), text)
        found = reader.align(rows, row, np.array(text, dtype=np.uint16))
        assert [letter[:2] for letter in found] == [(letter.start, letter.end) for letter in expected]
        np.testing.assert_allclose(
            [letter[2] for letter in found], [letter.deficit for letter in expected], atol=1e-4, rtol=1e-6
        )


def test_texts_that_are_far_off_have_the_loss_of_ctc() -> None:
    network = network_of(0)
    tensors = dict(network.tensors())
    sure = ReaderNetwork(network.config)
    sure.load_weights([(name, mx.array(values * 20 if "head" in name else values)) for name, values in tensors.items()])
    reader, rows = reader_of(sure), Rows(ROWS)
    text = [1 + letter * 5 % 78 for letter in range(12)]
    losses = reader.read(rows, 4, 3, packed([text] * 3), 1)[0]
    for row, loss in enumerate(losses, start=4):
        expected = text_loss(reader.log_probabilities(rows, row), text)
        assert expected > 700, "beyond float64"
        assert loss == pytest.approx(expected, rel=1e-6)


def test_bad_rows_cost_themselves_only() -> None:
    reader = reader_of(network_of(1))
    wall = [np.stack([np.arange(9000) / 9000, np.arange(9000) % 2], axis=1)]
    rows = Rows([ROWS[3], None, wall, [[(0.0, float("inf"))]], ROWS[3]])
    losses, reading_losses, misfits, codes, offsets, problems = reader.read(rows, 0, 5, packed([[1]] * 5), 2)
    assert [(row, reason) for row, _, reason, _ in problems] == [
        (1, "null"),
        (2, "too long to read"),
        (3, "non-finite coordinate"),
    ]
    assert np.isnan(misfits).tolist() == np.isnan(reading_losses).tolist() == [False, True, True, True, False]
    assert losses[0] == losses[4]
    assert codes[: offsets[1]].tolist() == codes[offsets[4] :].tolist()
    assert offsets[1] == offsets[4]
    with pytest.raises(PenpalError, match="too long to read"):
        reader.log_probabilities(rows, 2)
    with pytest.raises(PenpalError, match="null"):
        reader.align(rows, 1, np.array([1], dtype=np.uint16))


def test_wrong_arguments_are_refused() -> None:
    network = network_of(1)
    reader, rows = reader_of(network), Rows(ROWS[:2])
    for codes in ([0], [5], [65535]):
        with pytest.raises(PenpalError, match="codes must be from 1 to 4"):
            reader.read(rows, 0, 2, packed([codes, []]), 1)
        with pytest.raises(PenpalError, match="codes must be from 1 to 4"):
            reader.align(rows, 0, np.array(codes, dtype=np.uint16))
    for offsets in ([0, 1], [0, 2, 1], [-1, 0, 1], [0, 1, 9]):
        with pytest.raises(PenpalError, match="texts must have"):
            reader.read(rows, 0, 2, (np.array([1, 2], dtype=np.uint16), np.array(offsets)), 1)
    with pytest.raises(PenpalError, match="rows"):
        reader.read(rows, 1, 2, None, 1)
    with pytest.raises(PenpalError, match="stem"):
        Reader([], [], (np.zeros(4, np.float32), np.zeros(2, np.float32)))
