"""Generator and training, on data that the tests make."""

from __future__ import annotations

import json

import mlx.core as mx
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import safetensors.numpy

import penpal_fast
from made_lines import scrawl
from penpal_fast import PenpalError
from penpal_fast.network.config import ModelConfig
from penpal_fast.network.model import QualityClassifier
from penpal_fast.training import examples, first_weights, lines
from penpal_fast.training.generator import Corruption, Generator, Request, Writing, _State, words_of_strokes

ALPHABET = ["\0", *"abcdefgh "]


@pytest.fixture(scope="module")
def generator_file(tmp_path_factory):
    """A generator with random weights: it scribbles, but by the same arithmetic."""
    random = np.random.default_rng(3)
    window = len(ALPHABET)

    def weights(*shape):
        return random.normal(0, 0.1, shape).astype(np.float32)

    tensors = {
        "lstm1_kernel": weights(window + 3 + 400, 1600),
        "lstm1_bias": weights(1600),
        "lstm2_kernel": weights(3 + 400 + window + 400, 1600),
        "lstm2_bias": weights(1600),
        "lstm3_kernel": weights(3 + 400 + window + 400, 1600),
        "lstm3_bias": weights(1600),
        "attention_weights": weights(window + 3 + 400, 30),
        "attention_biases": weights(30),
        "gmm_weights": weights(400, 121),
        "gmm_biases": weights(121),
        "style0_strokes": np.array([[1, 0, 0], [0, 1, 1]], dtype=np.float32),
        "style1_strokes": np.array([[1, 0, 0], [0, 1, 0], [2, 1, 1]], dtype=np.float32),
    }
    path = tmp_path_factory.mktemp("generator") / "generator.safetensors"
    metadata = {"alphabet": json.dumps(ALPHABET), "primers": json.dumps(["ab", "h"])}
    path.write_bytes(safetensors.numpy.save(tensors, metadata=metadata))
    return path


@pytest.fixture(scope="module")
def generator(generator_file):
    return Generator(generator_file)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def plain_step(tensors, x, onehot, hidden, cell, kappa, window, corruption):
    """One step for one row, in NumPy, as Graves' paper writes it."""

    def lstm(layer, inputs):
        gates = np.concatenate([*inputs, hidden[layer]]) @ tensors[f"lstm{layer + 1}_kernel"]
        i, j, f, o = np.split(gates + tensors[f"lstm{layer + 1}_bias"], 4)
        cell[layer] = sigmoid(f) * cell[layer] + sigmoid(i) * np.tanh(j)
        hidden[layer] = sigmoid(o) * np.tanh(cell[layer])

    lstm(0, [window, x])
    parameters = np.concatenate([window, x, hidden[0]]) @ tensors["attention_weights"] + tensors["attention_biases"]
    alpha, beta, movement = np.split(np.log1p(np.exp(parameters)), 3)
    kappa = kappa + movement * corruption.kappa_scale / 25
    beta = np.maximum(beta, corruption.beta_floor)
    u = np.arange(len(onehot))
    phi = (alpha[:, None] * np.exp(-((kappa[:, None] - u) ** 2) / beta[:, None])).sum(axis=0)
    window = phi @ onehot
    lstm(1, [x, hidden[0], window])
    lstm(2, [x, hidden[1], window])
    return phi, hidden, cell, kappa, window


@pytest.mark.parametrize("corruption", [Corruption(), Corruption(kappa_scale=2.5, beta_floor=1.5)])
def test_a_step_is_that_of_plain_numpy(generator, generator_file, corruption):
    tensors = safetensors.numpy.load_file(generator_file)
    codes = generator.encode("abc ha")
    onehot = np.eye(len(ALPHABET), dtype=np.float32)[codes]
    state = _State.blank(1, len(ALPHABET))
    hidden, cell = [np.zeros(400)] * 3, [np.zeros(400)] * 3
    kappa, window = np.zeros(10), np.zeros(len(ALPHABET))
    disturbance = type(
        "D", (), {"kappa_scale": corruption.kappa_scale, "beta_floor": corruption.beta_floor, "noise": 0.0}
    )
    for x in np.random.default_rng(1).normal(0, 1, (5, 3)).astype(np.float32):
        phi, state = generator._step(mx.array(x[None]), mx.array(onehot[None]), state, disturbance, mx.random.key(0))
        plain_phi, hidden, cell, kappa, window = plain_step(
            tensors, x, onehot, list(hidden), list(cell), kappa, window, corruption
        )
        assert np.allclose(np.array(phi)[0], plain_phi, atol=1e-5)
        assert np.allclose(np.array(state.kappa)[0], kappa, atol=1e-5)
        for layer in range(3):
            assert np.allclose(np.array(state.hidden[layer])[0], hidden[layer], atol=1e-5)


def test_the_same_seed_writes_the_same_lines(generator):
    requests = [Request("abc", 0), Request("ha ha", 1, corruption=Corruption(2.0, 1.0, 0.3))]
    first, again, other = (generator.write(requests, seed=seed) for seed in (1, 1, 2))
    for one, two, three in zip(first, again, other, strict=True):
        assert np.array_equal(one.offsets, two.offsets)
        assert not np.array_equal(one.offsets, three.offsets)
        assert one.offsets.shape == (len(one.characters), 3)
        assert np.isfinite(one.offsets).all()
    assert len(first[0].offsets) <= 40 * 4


def test_what_cannot_be_written_is_said(generator, tmp_path):
    with pytest.raises(PenpalError, match=r"cannot write \['!', 'Q'\]"):
        generator.write([Request("Qa!", 0)], seed=1)
    path = tmp_path / "empty.safetensors"
    path.write_bytes(safetensors.numpy.save({"a": np.zeros(1, np.float32)}))
    with pytest.raises(PenpalError, match="expected the metadata 'alphabet' and 'primers'"):
        Generator(path)


def test_strokes_follow_the_words():
    offsets = np.array([[1, 1, 0], [1, 0, 1], [3, 0, 1], [2, 2, 0], [1, 0, 1], [1, 0, 0]], dtype=np.float32)
    words = words_of_strokes(Writing(offsets, np.array([0, 1, 1, 3, 3, 3])), "ab c")
    assert [[len(stroke) for stroke in word] for word in words] == [[2, 1], [2, 1]]
    assert np.allclose(words[0][0][0], 0)


def test_a_straight_rising_line_is_levelled():
    offsets = np.tile(np.array([[1, 0.5, 0]], dtype=np.float32), (30, 1))
    ((stroke,),) = words_of_strokes(Writing(offsets, np.zeros(30, dtype=int)), "a")
    assert np.allclose(stroke[:, 1], 0, atol=1e-6)
    assert np.allclose(np.diff(stroke[:, 0]), 1, atol=1e-6)


def test_example_lines_have_the_penpal_schema(example_file):
    table = pq.read_table(example_file)
    assert table.schema.equals(examples.SCHEMA)
    assert table.num_rows == 240
    severities = table["corruption"].to_pylist()
    assert severities.count(None) == 120
    assert set(severities) == {None, *examples.SEVERITIES}
    assert penpal_fast.render_batch(table).shape == (240, 256, 256, 1)


@pytest.fixture
def data(tmp_path):
    """A few made lines of each kind."""
    kinds = {"iam_ondb_lines": 20, "clean_lines": 12, "corrupted_lines": 3}
    for number, (name, points) in enumerate(kinds.items()):
        rows = [
            [[{"points": [{"x": x, "y": y} for x, y in stroke]}] for stroke in scrawl(100 * number + seed, 5, points)]
            for seed in range(60)
        ]
        files = [f"{chr(97 + seed % 26)}{seed // 26:02}-{seed}" for seed in range(60)]
        kind = examples.SCHEMA.field("strokes").type
        pq.write_table(pa.table({"strokes": pa.array(rows, kind), "file": files}), tmp_path / f"{name}.parquet")
    return tmp_path


def test_lines_are_split_by_form(data):
    split = lines.read_lines(data / "iam_ondb_lines.parquet", group_column="file")
    assert len(split.train) + len(split.validation) == 60
    assert len(split.train) > len(split.validation) > 0
    again = lines.read_lines(data / "iam_ondb_lines.parquet", group_column="file")
    assert len(again.validation) == len(split.validation)
    assert len(split.train[0].words) == 5
    assert split.train[0].words[0][0].shape == (20, 2)


def test_cutting_and_bending_keep_whole_strokes(data):
    line = lines.read_lines(data / "clean_lines.parquet").train[0]
    random = np.random.default_rng(1)
    for _ in range(20):
        strokes = lines.cut(line, random, longest=3)
        assert 1 <= len(strokes) <= 3
        bent = lines.bend(strokes, random)
        assert [stroke.shape for stroke in bent] == [stroke.shape for stroke in strokes]


def test_a_tiny_training_learns(data, tmp_path):
    recipe = first_weights.Recipe(images=960, batch_size=16, average_decay=0.9, cut_share=0.0)
    sources = first_weights.Sources.read(data)
    printed = []
    mx.random.seed(1)
    model = first_weights.train(sources, recipe, QualityClassifier(ModelConfig()), report=printed.append)
    assert "loss" in printed[-1]
    figures = first_weights.measure(model, sources)
    untrained = first_weights.measure(QualityClassifier().eval(), sources)
    assert figures["auc_real_corrupted"] > 0.9
    assert figures["auc_real_corrupted"] > untrained["auc_real_corrupted"]
    model.save_pretrained(tmp_path / "model")
    loaded = QualityClassifier.from_pretrained(tmp_path / "model")
    assert first_weights.measure(loaded, sources) == figures


def test_area_under_curve_counts_ties_half():
    assert first_weights.area_under_curve(np.array([1.0, 2.0]), np.array([1.0, 0.0])) == 0.875


def test_bundled_weights_tell_real_from_corrupted_on_unseen_forms(shared_data):
    sources = first_weights.Sources.read(shared_data)
    figures = first_weights.measure(QualityClassifier.from_pretrained(), sources)
    assert figures["auc_real_corrupted"] >= 0.976
    assert figures["auc_real_clean"] >= 0.917
