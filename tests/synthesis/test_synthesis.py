"""The generator, its plans and its runs in parts, on weights that the tests make."""

from __future__ import annotations

import dataclasses
import io
import json
import math
import multiprocessing
import os
import signal
import subprocess
import sys
import time
import zipfile

import mlx.core as mx
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import safetensors.numpy
from typer.testing import CliRunner

import penpal_fast
from helpers.made_generator import ALPHABET, made_tensors, save
from helpers.planners import Killed, Slow
from penpal_fast import PenpalError
from penpal_fast.cli import app
from penpal_fast.synthesis import generator as generating
from penpal_fast.synthesis import line_file, parts
from penpal_fast.synthesis.cell import Cell, Disturbance
from penpal_fast.synthesis.corruption import SEVERITIES, Corruption, Severity
from penpal_fast.synthesis.generator import Generator, Request, Writing
from penpal_fast.synthesis.mixture import sample
from penpal_fast.synthesis.plan import PART_ROWS, Plan, check_lengths, planned_part, writable_texts
from penpal_fast.synthesis.table import SCHEMA, strokes_array
from penpal_fast.synthesis.texts import LONG_LINE, Text, read_texts, run_of_words
from penpal_fast.synthesis.weights import ALPHABET as DEFAULT_ALPHABET
from penpal_fast.synthesis.weights import MAX_LETTERS
from penpal_fast.synthesis.words import split_at_spaces
from penpal_fast.training.recipe_fields import built


@pytest.fixture(scope="module")
def generator_file(tmp_path_factory):
    return save(made_tensors(), tmp_path_factory.mktemp("generator") / "generator.safetensors")


@pytest.fixture(scope="module")
def generator(generator_file):
    return Generator(generator_file, backend="numpy")


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


@pytest.mark.parametrize("arrays", [mx, np], ids=["mlx", "numpy"])
@pytest.mark.parametrize("corruption", [Corruption(), Corruption(kappa_scale=2.5, beta_floor=1.5)])
def test_a_step_equals_plain_numpy(generator, arrays, corruption):
    tensors = made_tensors()
    cell_of_generator = Cell({name: values for name, values in tensors.items() if "style" not in name}, arrays)
    onehot = np.eye(len(ALPHABET), dtype=np.float32)[generator.encode("abc ha")]
    state = cell_of_generator.blank(1, len(ALPHABET))
    hidden, cell = [np.zeros(400)] * 3, [np.zeros(400)] * 3
    kappa, window = np.zeros(10), np.zeros(len(ALPHABET))
    disturbance = Disturbance(
        arrays.array([[corruption.kappa_scale]], dtype=arrays.float32),
        arrays.array([[corruption.beta_floor]], dtype=arrays.float32),
        None,
    )
    for x in np.random.default_rng(1).normal(0, 1, (5, 3)).astype(np.float32):
        phi, state = cell_of_generator.step(arrays.array(x[None]), arrays.array(onehot[None]), state, disturbance)
        plain_phi, hidden, cell, kappa, window = plain_step(
            tensors, x, onehot, list(hidden), list(cell), kappa, window, corruption
        )
        assert np.allclose(np.array(phi)[0], plain_phi, atol=1e-5)
        assert np.allclose(np.array(state.kappa)[0], kappa, atol=1e-5)
        assert np.allclose(np.array(state.window)[0], window, atol=1e-5)
        for layer in range(3):
            assert np.allclose(np.array(state.hidden[layer])[0], hidden[layer], atol=1e-5)
        head = cell_of_generator.head(state.hidden[2])[0]
        assert np.allclose(head, hidden[2] @ tensors["gmm_weights"] + tensors["gmm_biases"], atol=1e-5)


def test_noise_is_added_to_the_outputs(generator):
    state = generator._cell.blank(1, len(ALPHABET))
    text = np.eye(len(ALPHABET), dtype=np.float32)[generator.encode("ab")][None]
    x, one, floor = np.zeros((1, 3), np.float32), np.ones((1, 1), np.float32), np.full((1, 1), 0.01, np.float32)
    _, quiet = generator._cell.step(x, text, state, Disturbance(one, floor, None))
    noise = np.zeros((3, 1, 400), np.float32)
    noise[0] = 0.25
    _, noisy = generator._cell.step(x, text, state, Disturbance(one, floor, noise))
    assert np.allclose(noisy.hidden[0] - quiet.hidden[0], 0.25, atol=1e-6)
    assert np.array_equal(noisy.cell[0], quiet.cell[0])
    assert not np.allclose(noisy.hidden[2], quiet.hidden[2])


def test_a_disturbance_begins_within_the_text(generator):
    """With an onset, a line is the undisturbed one up to there, by the same random numbers."""
    text = "abc " * 5
    plain, late, early = (
        generator.write([Request(text, 0, corruption=corruption)], seed=4)[0]
        for corruption in (Corruption(), Corruption(kappa_scale=3, onset=0.5), Corruption(kappa_scale=3))
    )
    reached = int(np.flatnonzero(plain.characters >= 10)[0])
    assert reached > 3
    assert np.array_equal(late.offsets[: reached + 1], plain.offsets[: reached + 1])
    assert not np.array_equal(late.characters[: len(plain.characters)], plain.characters[: len(late.characters)])
    assert not np.array_equal(early.characters[:reached], plain.characters[:reached])


def test_a_row_that_leaves_float32_ends_there(generator, monkeypatch):
    calls = []

    def overflowing(parameters, bias, random):
        calls.append(len(parameters))
        sampled = sample(parameters, bias, random)
        if len(calls) == 9:
            sampled[0, 0] = np.nan
        return sampled

    expected = generator.write([Request("abc", None), Request("abc", None)], seed=1)
    monkeypatch.setattr(generating, "sample", overflowing)
    broken, whole = generator.write([Request("abc", None), Request("abc", None)], seed=1)
    assert np.isfinite(broken.offsets).all()
    assert len(broken.offsets) <= 9 < len(expected[0].offsets)
    assert broken.offsets[-1].tolist() == [0, 0, 1]
    assert np.array_equal(whole.offsets[:5], expected[1].offsets[:5])


def test_a_sharp_mixture_is_followed():
    parameters = np.zeros((500, 121), np.float32)
    parameters[:, 7] = 50.0  # only component 7
    parameters[:, 20:60] = -20.0  # sigma at its floor
    parameters[:, 80 + 7], parameters[:, 100 + 7] = 3.0, -2.0
    parameters[:250, 120], parameters[250:, 120] = 20.0, -20.0
    drawn = sample(parameters, np.full((500, 1), 0.9, np.float32), np.random.default_rng(1))
    assert np.allclose(drawn[:, 0], 3, atol=1e-2)
    assert np.allclose(drawn[:, 1], -2, atol=1e-2)
    assert drawn[:250, 2].all()
    assert not drawn[250:, 2].any()


def test_correlation_and_spread_follow_the_parameters():
    parameters = np.zeros((200_000, 121), np.float32)
    parameters[:, 0] = 50.0
    parameters[:, 20], parameters[:, 40], parameters[:, 60] = np.log(2), np.log(0.5), np.arctanh(0.8)
    drawn = sample(parameters, np.zeros((200_000, 1), np.float32), np.random.default_rng(1))[:, :2]
    assert np.allclose(drawn.std(axis=0), [2, 0.5], rtol=0.02)
    assert np.corrcoef(drawn.T)[0, 1] == pytest.approx(0.8, abs=0.01)


@pytest.mark.parametrize("backend", ["numpy", "mlx"])
def test_the_same_seed_writes_the_same_lines(generator_file, backend):
    generator = Generator(generator_file, backend=backend)
    requests = [Request("abc", 0), Request("ha ha", 1, corruption=Corruption(2.0, 1.0, 0.3)), Request("a", None)]
    first, again, other = (generator.write(requests, seed=seed) for seed in (1, 1, 2))
    for one, two, three in zip(first, again, other, strict=True):
        assert np.array_equal(one.offsets, two.offsets)
        assert not np.array_equal(one.offsets, three.offsets)
        assert one.offsets.shape == (len(one.characters), 3)
        assert np.isfinite(one.offsets).all()
    assert 1 <= len(first[0].offsets) <= 40 * 3
    assert 1 <= len(first[2].offsets) <= 40


def test_a_precomputed_primer_has_the_state_of_a_fresh_one(generator):
    """Until the attention first reaches the line's own text, the state equals that for the whole text."""
    for style, primed in ((style, generator.primed[style]) for style in range(2)):
        text = np.eye(len(ALPHABET), dtype=np.float32)[generator.encode(generator.primer(style) + "gag")][None]
        state = generator._cell.blank(1, len(ALPHABET))
        one, floor = np.ones((1, 1), np.float32), np.full((1, 1), 0.01, np.float32)
        for x in generator.styles[style][: primed.steps]:
            _, state = generator._cell.step(x[None], text, state, Disturbance(one, floor, None))
        for here, there in zip(state.values(), primed.state.values(), strict=True):
            assert np.allclose(here, there, atol=1e-5)


def test_what_cannot_be_written_is_refused(generator, tmp_path):
    with pytest.raises(PenpalError, match=r"cannot write \['!', 'Q'\]"):
        generator.write([Request("Qa!", 0)], seed=1)
    with pytest.raises(PenpalError, match="line 0: there is no style 2; there are 2"):
        generator.write([Request("a", 2)], seed=1)
    with pytest.raises(PenpalError, match="line 1: there is no text"):
        generator.write([Request("a", 0), Request("", 0)], seed=1)
    assert generator.write([], seed=1) == []
    path = tmp_path / "empty.safetensors"
    path.write_bytes(safetensors.numpy.save({"a": np.zeros(1, np.float32)}))
    with pytest.raises(PenpalError, match=r"lstm1_kernel must have shape \[476, 1600\], but there is no such tensor"):
        Generator(path)
    wrong = save({**made_tensors(), "gmm_biases": np.zeros(120, np.float32)}, tmp_path / "wrong.safetensors")
    with pytest.raises(PenpalError, match=r"gmm_biases must have shape \[121\], but its shape is \[120\]"):
        Generator(wrong)


def test_npz_weights_have_the_usual_alphabet_and_no_styles(tmp_path):
    random = np.random.default_rng(1)
    inner = len(DEFAULT_ALPHABET) - len(ALPHABET)
    tensors = {name: values for name, values in made_tensors().items() if "style" not in name}
    for name in ("lstm1_kernel", "lstm2_kernel", "lstm3_kernel", "attention_weights"):
        more = random.normal(0, 0.1, (inner, tensors[name].shape[1])).astype(np.float32)
        tensors[name] = np.concatenate([tensors[name], more])
    np.savez(tmp_path / "weights.npz", **tensors)
    generator = Generator(tmp_path / "weights.npz")
    (writing,) = generator.write([Request("Hello, world", None)], seed=1)
    assert len(writing.offsets) > 0
    np.savez(tmp_path / "objects.npz", lstm1_kernel=np.array([{}], dtype=object))
    with pytest.raises(PenpalError, match="cannot read the generator's weights"):
        Generator(tmp_path / "objects.npz")


def zipped(path, members, **settings):
    with zipfile.ZipFile(path, "w", **settings) as file:
        for name, content in members.items():
            file.writestr(name, content)


def npy_header(shape, kind="<f4"):
    content = io.BytesIO()
    np.lib.format.write_array_header_1_0(content, {"descr": kind, "fortran_order": False, "shape": shape})
    return content.getvalue()


def npy_text(header):
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode("latin1")


def other_crc(path):
    zipped(path, {"a.npy": npy_header((1,)) + bytes(4)})
    content = bytearray(path.read_bytes())
    content[content.index(b"NUMPY")] ^= 1
    path.write_bytes(content)


def cut_short(path):
    np.savez(path, a=np.zeros(1000, np.float32))
    path.write_bytes(path.read_bytes()[:-500])


def gigabytes(path):
    zipped(path, {"a.npy": npy_header((18 << 20,)) + bytes(72 << 20)}, compression=zipfile.ZIP_DEFLATED)


NPZ = {
    "no zip": (lambda path: path.write_bytes(b"PK of nothing"), "it is not an npz file, or it is cut short"),
    "cut short": (cut_short, "it is not an npz file, or it is cut short"),
    "another CRC": (other_crc, "Bad CRC-32"),
    "gigabytes": (gigabytes, "its tensors have more than"),
    "a shape of gigabytes": (lambda path: zipped(path, {"a.npy": npy_header((1 << 40,)) + bytes(8)}), "cannot reshape"),
    "many members": (
        lambda path: zipped(path, {f"{number:0200}": b"" for number in range(400)}),
        "its list of tensors",
    ),
    "a header of brackets": (
        lambda path: zipped(path, {"a.npy": npy_text("[" * 6000)}),
        "the header of tensor 'a.npy'",
    ),
    "a header of letters": (lambda path: zipped(path, {"a.npy": npy_text("\xff\xfe")}), "the header of tensor 'a.npy'"),
    "no array": (lambda path: zipped(path, {"a.npy": b"nothing"}), "magic string"),
    "LZMA": (lambda path: zipped(path, {"a.npy": b"x"}, compression=zipfile.ZIP_LZMA), "does not write"),
    "integers": (lambda path: np.savez(path, a=np.zeros(3, int)), "not of floats"),
    "NaN": (lambda path: np.savez(path, a=np.array([np.nan])), "NaN or infinite"),
    "a pipe": (os.mkfifo, "it is not a regular file"),
}


@pytest.mark.parametrize(("make", "message"), NPZ.values(), ids=NPZ)
def test_npz_files_from_strangers_are_refused(tmp_path, make, message):
    path = tmp_path / "weights.npz"
    make(path)
    with pytest.raises(PenpalError, match=f"weights.npz: cannot read the generator's weights: .*{message}"):
        Generator(path)


METADATA = {
    "no JSON": ({"alphabet": "["}, "the alphabet in its metadata cannot be read as JSON"),
    "deep JSON": ({"primers": "[" * 100_000}, "the primers in its metadata cannot be read as JSON"),
    "a number": ({"alphabet": "7"}, "the alphabet in its metadata must be a list of texts"),
    "numbers": ({"primers": "[1, 2]"}, "the primers in its metadata must be a list of texts"),
    "an object": ({"primers": '{"a": 1}'}, "the primers in its metadata must be a list of texts"),
    "words": ({"alphabet": json.dumps([*ALPHABET[:-1], "ab"])}, "each of them once"),
    "twice": ({"alphabet": json.dumps([*ALPHABET[:-1], "a"])}, "each of them once"),
    "strange letters": ({"primers": json.dumps(["ab", "X"])}, r"primer 1 and a space need \['X'\]"),
    "a long primer": ({"primers": json.dumps(["ab", "a" * 100_000])}, "primer 1 has 100,000 letters"),
    "an empty primer": ({"primers": json.dumps(["", "a"])}, "primer 0 has 0 letters"),
}


@pytest.mark.parametrize(("metadata", "message"), METADATA.values(), ids=METADATA)
def test_metadata_from_strangers_are_refused(tmp_path, metadata, message):
    path = save(made_tensors(), tmp_path / "generator.safetensors", **metadata)
    with pytest.raises(PenpalError, match=f"generator.safetensors: {message}|generator.safetensors: .*{message}"):
        Generator(path)


def test_a_primer_of_many_points_is_refused(tmp_path):
    tensors = {**made_tensors(), "style1_strokes": np.zeros((10_000, 3), np.float32)}
    with pytest.raises(PenpalError, match="style1_strokes has 10,000 points"):
        Generator(save(tensors, tmp_path / "generator.safetensors"))


@pytest.mark.parametrize(
    ("settings", "words", "message"),
    [
        ({}, ["a" * 100_000], "a word of 100,000 letters, 'aaaaaaaaaaaaaaaaaaaa'"),
        ({"whole_share": 0.1}, ["abc"] * 60, "a line of 239 letters could come of the text 'abc abc"),
        ({"longest": 60}, ["abc"] * 60, "a line of 239 letters.*or take fewer words"),
        ({"long_share": 1.0}, ["a" * 46], "a word of 46 letters"),
        ({}, ["abc"] * 60, None),
        ({"long_share": 1.0}, ["a" * 45], None),
    ],
)
def test_texts_that_no_line_can_hold_are_refused(settings, words, message):
    plan, texts = Plan(50, **settings), [Text(tuple(words), "source")]
    if message is None:
        check_lengths(plan, texts)
        assert max(len(line.request.text) for line in planned_part(plan, 0, texts, 1)) <= MAX_LETTERS
        return
    with pytest.raises(PenpalError, match=message):
        check_lengths(plan, texts)


def test_a_line_that_is_too_long_is_refused(generator):
    with pytest.raises(PenpalError, match="line 0: the text has 201 letters; a line has at most 200"):
        generator.write([Request("a" * 201, 0)], seed=1)


KILLED = """
import os, signal, sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from penpal_fast.synthesis.parts import _end_with_parent

if __name__ == "__main__":
    pool = ProcessPoolExecutor(1, get_context("spawn"), _end_with_parent)
    print(pool.submit(os.getpid).result(), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_worker_ends_when_its_parent_is_killed(tmp_path):
    program = tmp_path / "killed.py"
    program.write_text(KILLED)
    # The worker has the pipe too, so it is at its end once both have ended.
    done = subprocess.run([sys.executable, program], stdout=subprocess.PIPE, text=True, timeout=60)
    assert done.returncode == -signal.SIGKILL
    assert int(done.stdout) > 0


def test_strokes_follow_the_words():
    offsets = np.array([[1, 1, 0], [1, 0, 1], [3, 0, 1], [2, 2, 0], [1, 0, 1], [1, 0, 0]], dtype=np.float32)
    words = split_at_spaces(Writing(offsets, np.array([0, 1, 1, 3, 3, 3])), "ab c")
    assert [[len(stroke) for stroke in word] for word in words] == [[2, 1], [2, 1]]
    assert np.allclose(words[0][0][0], 0)


def test_a_straight_rising_line_is_levelled():
    offsets = np.tile(np.array([[1, 0.5, 0]], dtype=np.float32), (30, 1))
    ((stroke,),) = split_at_spaces(Writing(offsets, np.zeros(30, dtype=int)), "a")
    assert np.allclose(stroke[:, 1], 0, atol=1e-6)
    assert np.allclose(np.diff(stroke[:, 0]), 1, atol=1e-6)


def test_strokes_become_the_penpal_schema():
    stroke = np.array([[0.0, 1.0], [2.0, 3.0]])
    array = strokes_array([[[stroke], [stroke, stroke[:1]]], [[stroke]]])
    assert array.type == SCHEMA.field("strokes").type
    assert array.to_pylist()[0][1][1] == {"points": [{"x": 0.0, "y": 2.0}]}
    assert [len(row) for row in array] == [2, 1]


def test_a_plan_always_gives_the_same_lines():
    texts = [Text(("abc", "ha", "gag"), "one"), Text(("ab",), "two")]
    plan = Plan(PART_ROWS + 44, corrupted=True, seed=3, bias=(0.5, 1.0), whole_share=0.3)
    parts = [planned_part(plan, part, texts, 2) for part in range(plan.parts)]
    assert [len(part) for part in parts] == [PART_ROWS, 44]
    assert parts[1] == planned_part(plan, 1, texts, 2)
    lines = [line for part in parts for line in part]
    assert {line.severity for line in lines} == set(SEVERITIES)
    for line in lines:
        ranges = SEVERITIES[line.severity]
        assert ranges.kappa_scale[0] <= line.request.corruption.kappa_scale <= ranges.kappa_scale[1]
        assert ranges.beta_floor[0] <= line.request.corruption.beta_floor <= ranges.beta_floor[1]
        assert ranges.noise[0] <= line.request.corruption.noise <= ranges.noise[1]
        assert 0.5 <= line.request.bias <= 1.0
        assert line.request.text in "abc ha gag"
    shares = [sum(line.severity == name for line in lines) / len(lines) for name in SEVERITIES]
    assert shares == pytest.approx([0.1, 0.7, 0.2], abs=0.1)


def test_long_lines_and_onsets_are_planned():
    texts = [Text(("abc", "ha", "gag"), "one"), Text(("ab",), "two")]
    severity = Severity(1.0, (1, 1), (1, 1), (0, 0), onset=(0.2, 0.6))
    plan = Plan(300, corrupted=True, long_share=0.5, severities={"late": severity})
    lines = [line for part in range(plan.parts) for line in planned_part(plan, part, texts, 2)]
    lengths = np.array([len(line.request.text) for line in lines])
    assert lengths.max() <= LONG_LINE[1]
    assert (lengths > 30).mean() == pytest.approx(0.5, abs=0.1)
    onsets = [line.request.corruption.onset for line in lines]
    assert 0.2 <= min(onsets) < 0.25 < 0.55 < max(onsets) <= 0.6
    assert built(Plan, "a plan", json.loads(json.dumps(dataclasses.asdict(plan)))) == plan


def test_bad_plans_are_refused():
    for rows in (0, 10**12):
        with pytest.raises(PenpalError, match="rows must be from 1 to 100,000,000"):
            Plan(rows)
    with pytest.raises(PenpalError, match="whole_share"):
        Plan(1, whole_share=1.5)
    with pytest.raises(PenpalError, match="sum to 1"):
        Plan(1, corrupted=True, severities={"mild": SEVERITIES["mild"]})
    with pytest.raises(PenpalError, match="seed must be at least 0, got -1"):
        Plan(1, seed=-1)
    for bias in ((1.0, 0.5), (math.nan, math.nan), (0.0, math.inf), (-1e308, 1e308)):
        with pytest.raises(PenpalError, match="bias must be a range"):
            Plan(1, bias=bias)
    with pytest.raises(PenpalError, match="noise of a severity must be a range from 0 to 100"):
        Severity(1.0, (1, 1), (1, 1), (-1, 0))


def test_shares_may_be_rounded():
    thirds = {name: dataclasses.replace(one, share=0.3333333) for name, one in list(SEVERITIES.items())[:3]}
    plan = Plan(20, corrupted=True, severities=thirds)
    found = {line.severity for line in planned_part(plan, 0, [Text(("a", "b"), "")], 0)}
    assert found == set(thirds)


def test_runs_of_words_are_neighbours():
    text = Text(("a", "b", "c", "d"), "")
    random = np.random.default_rng(1)
    runs = {run_of_words(text, random, longest=2) for _ in range(200)}
    assert runs == {"a", "b", "c", "d", "a b", "b c", "c d"}


def test_texts_are_read_from_both_kinds_of_files(tmp_path, example_file):
    (tmp_path / "texts.txt").write_text("one two\n\nthree\n", encoding="utf-8")
    assert [text.words for text in read_texts(tmp_path / "texts.txt")] == [("one", "two"), ("three",)]
    assert len(read_texts(example_file)) == 264
    (tmp_path / "empty.txt").write_text("\n")
    with pytest.raises(PenpalError, match="there is no text"):
        read_texts(tmp_path / "empty.txt")


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ([("text", ["a"]), ("source", [1.5])], "the column 'source' does not hold texts but double"),
        ([("text", ["a"]), ("text", ["b"])], "it has several columns 'text'"),
        ([("text", ["a"]), ("source", ["b"]), ("source", ["c"])], "it has several columns 'source'"),
        ([("text", [b"a"])], "the column 'text' does not hold texts but binary"),
        ([("text", [["a"]])], "the column 'text' does not hold texts but list"),
    ],
)
def test_columns_that_are_no_texts_are_refused(tmp_path, columns, message):
    names, values = zip(*columns, strict=True)
    pq.write_table(pa.table([pa.array(one) for one in values], names=list(names)), tmp_path / "texts.parquet")
    with pytest.raises(PenpalError, match=message):
        read_texts(tmp_path / "texts.parquet")


def test_numbers_may_name_sources(tmp_path):
    pq.write_table(pa.table({"text": ["a b", "c"], "source": [7, 8]}), tmp_path / "texts.parquet")
    assert read_texts(tmp_path / "texts.parquet") == [Text(("a", "b"), "7"), Text(("c",), "8")]


def test_tables_in_other_formats_are_no_lines_of_text(tmp_path):
    (tmp_path / "rows.jsonl").write_text('{"text": "a"}\n')
    with pytest.raises(PenpalError, match="`penpal-fast convert` makes a Parquet file"):
        read_texts(tmp_path / "rows.jsonl")


def synthesize(*arguments):
    return CliRunner().invoke(app, ["synthesize", *map(str, arguments)])


@pytest.fixture
def texts_file(tmp_path):
    path = tmp_path / "texts.txt"
    path.write_text("abc ha\ngag\nQ\n", encoding="utf-8")
    return path


def test_the_command_makes_lines_that_score(generator_file, texts_file, tmp_path):
    output = tmp_path / "made.parquet"
    result = synthesize(texts_file, "-o", output, "--generator", generator_file, "--rows", 6, "--corrupted")
    assert result.exit_code == 0, result.output
    table = pq.read_table(output)
    assert table.schema.equals(SCHEMA)
    assert set(table["text"].to_pylist()) <= {"abc", "ha", "abc ha", "gag"}
    assert len(penpal_fast.score(table)) == 6
    assert list(tmp_path.glob("made.parquet.*")) == []


def test_inputs_are_not_overwritten(generator_file, texts_file):
    for one in (texts_file, generator_file):
        before = one.read_bytes()
        result = synthesize(texts_file, "-o", one, "--generator", generator_file, "--rows", 1)
        assert result.exit_code == 1
        assert "the output would replace an input" in result.output.replace("\n", " ")
        assert one.read_bytes() == before


def test_parts_without_a_record_are_refused(generator_file, tmp_path):
    (tmp_path / "part-00000.parquet").write_bytes(b"of another version")
    with pytest.raises(PenpalError, match="from another plan"):
        parts.open_folder(tmp_path, {}, [], generator_file)
    assert not (tmp_path / "job.json").exists()


def test_a_worker_that_is_killed_is_an_error(generator_file, tmp_path):
    with pytest.raises(PenpalError, match="a process that makes lines ended, perhaps killed as memory ran out"):
        parts.make_parts(Killed(), generator_file, parts.part_paths(tmp_path, 3), 2, lambda _done: None)


def test_ctrl_c_ends_the_workers(generator_file, tmp_path):
    started = time.monotonic()

    def stop(_done):
        signal.setitimer(signal.ITIMER_REAL, 3)

    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            parts.make_parts(Slow(), generator_file, parts.part_paths(tmp_path, 4), 2, stop)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    while multiprocessing.active_children() and time.monotonic() - started < 40:
        time.sleep(0.1)  # The pool's own thread may be the one that waits for them.
    assert time.monotonic() - started < 40


def test_a_resumed_run_writes_the_same_bytes(generator_file, texts_file, tmp_path, monkeypatch):
    monkeypatch.setattr(parts, "_workers", lambda *_: _Inline(*_))
    monkeypatch.setattr("penpal_fast.synthesis.plan.PART_ROWS", 4)
    plan, texts = Plan(10, seed=5), read_texts(texts_file)
    whole, killed = tmp_path / "whole.parquet", tmp_path / "killed.parquet"
    line_file.synthesize(plan, texts, generator_file, whole)

    def stop(done, _total):
        if done >= 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        line_file.synthesize(plan, texts, generator_file, killed, progress=stop)
    assert not killed.exists()
    with pytest.raises(PenpalError, match="resume with --resume"):
        line_file.synthesize(plan, texts, generator_file, killed)
    with pytest.raises(PenpalError, match="another plan"):
        line_file.synthesize(Plan(10, seed=6), texts, generator_file, killed, resume=True)
    with pytest.raises(PenpalError, match="another generator"):
        line_file.synthesize(plan, texts, other_generator_file(generator_file, tmp_path), killed, resume=True)
    line_file.synthesize(plan, texts, generator_file, killed, resume=True)
    assert killed.read_bytes() == whole.read_bytes()


def other_generator_file(generator_file, folder):
    """Make a generator that differs in one number, so that its file has the same size."""
    tensors = made_tensors()
    tensors["gmm_biases"][0] += 1
    path = save(tensors, folder / "other.safetensors")
    assert path.stat().st_size == generator_file.stat().st_size
    return path


def test_parts_with_the_record_of_an_older_version_are_refused(generator_file, texts_file, tmp_path):
    """Versions that knew a generator by its size may have left parts of another one."""
    folder = tmp_path / "made.parquet.parts"
    folder.mkdir()
    (folder / "job.json").write_text(json.dumps({"generator_bytes": generator_file.stat().st_size}))
    with pytest.raises(PenpalError, match="another version of this package"):
        line_file.synthesize(Plan(1), read_texts(texts_file), generator_file, tmp_path / "made.parquet", resume=True)


class _Inline:
    """Replaces the pool of processes: runs everything in this process."""

    def __init__(self, _count, planner, generator):
        parts._start_worker(planner, generator)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def submit(self, function, *arguments):
        future = parts.concurrent.futures.Future()
        future.set_result(function(*arguments))
        return future

    def shutdown(self, **_):
        pass


def test_a_missing_generator_is_refused(texts_file, tmp_path):
    result = synthesize(texts_file, "-o", tmp_path / "made.parquet", "--generator", tmp_path / "none.safetensors")
    assert result.exit_code == 1
    assert "none.safetensors: cannot read the weights" in result.output


def test_a_byte_order_mark_is_no_part_of_the_first_text(tmp_path):
    path = tmp_path / "texts.txt"
    path.write_text("abc\r\nfed\n", encoding="utf-8-sig")
    assert [text.words for text in read_texts(path)] == [("abc",), ("fed",)]


def test_texts_that_cannot_be_written_are_counted_with_their_letters(generator, caplog):
    texts = [Text((word,), word) for word in ("abc", "Xa", "bX%", "fed")]
    assert [text.source for text in writable_texts(texts, generator)] == ["abc", "fed"]
    assert caplog.messages == ["2 of 4 texts are left out: the generator does not know 'X', '%'"]
    caplog.clear()
    writable_texts(texts[:1], generator)
    assert caplog.messages == []
    with pytest.raises(PenpalError, match=r"none of the 2 texts: it does not know 'X', '%'; it knows"):
        writable_texts(texts[1:3], generator)


def test_the_command_says_which_texts_it_leaves_out(generator_file, tmp_path):
    texts, output = tmp_path / "texts.txt", tmp_path / "out.parquet"
    texts.write_text("abc\nZed\n")
    arguments = [texts, "-o", output, "--generator", generator_file, "--rows", 1, "--processes", 1]
    result = CliRunner().invoke(app, ["synthesize", *map(str, arguments)])
    assert result.exit_code == 0, result.output
    assert "1 of 2 texts are left out: the generator does not know 'Z'" in result.stderr
