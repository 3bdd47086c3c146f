"""The network: shapes, sizes, gradients, loading and saving."""

from __future__ import annotations

import errno
import json

import mlx.core as mx
import numpy as np
import pytest
from mlx.utils import tree_flatten

import penpal_fast
from helpers.made_lines import scrawl
from penpal_fast import BasicBlock, ModelConfig, PenpalError, QualityClassifier, Scorer
from penpal_fast.network import pretrained


def parameters(model) -> int:
    return sum(values.size for _, values in tree_flatten(model.trainable_parameters()))


@pytest.mark.parametrize(("shortcut", "count"), [("identity", 37_005), ("projection", 38_877)])
def test_number_of_parameters(shortcut, count):
    assert parameters(QualityClassifier(ModelConfig(shortcut=shortcut))) == count


@pytest.mark.parametrize("shortcut", ["identity", "projection"])
@pytest.mark.parametrize("batch_norm", [True, False])
def test_logits_have_the_shape_of_the_batch(shortcut, batch_norm):
    model = QualityClassifier(ModelConfig(shortcut=shortcut, batch_norm=batch_norm)).eval()
    logits = model(mx.zeros((3, 256, 256, 1)))
    assert (logits.shape, logits.dtype) == ((3,), mx.float32)


def test_a_block_halves_the_picture_and_widens_the_channels():
    for shortcut in ("identity", "projection"):
        assert BasicBlock(4, 8, shortcut=shortcut)(mx.zeros((2, 16, 12, 4))).shape == (2, 8, 6, 8)


def test_the_identity_shortcut_keeps_every_second_pixel():
    block = BasicBlock(2, 3).eval()
    block.conv2.weight = mx.zeros_like(block.conv2.weight)
    x = mx.random.uniform(shape=(1, 4, 6, 2))
    y = np.array(block(x))
    assert np.array_equal(y[..., :2], np.array(x)[:, ::2, ::2])
    assert not y[..., 2].any()


def test_the_usage_of_the_reference_model_works():
    strokes = scrawl(3, 8, 30)
    model = penpal_fast.QualityClassifier.from_pretrained()
    image = penpal_fast.render_strokes(strokes)
    score = mx.sigmoid(model(mx.array(image)[None]))[0]
    assert 0 <= score.item() <= 1
    assert score.item() == pytest.approx(float(penpal_fast.score([strokes])[0]), abs=1e-5)


def test_the_bundled_model_is_ready_to_use():
    model = QualityClassifier.from_pretrained()
    assert not model.training
    assert parameters(model) in (37_005, 38_877)


def test_saving_and_loading_from_a_folder(tmp_path):
    model = QualityClassifier(ModelConfig(shortcut="projection", line_width=2.0)).eval()
    model.save_pretrained(tmp_path / "model")
    loaded = QualityClassifier.from_pretrained(tmp_path / "model")
    assert loaded.config == model.config
    picture = penpal_fast.render_batch([scrawl(4, 5, 20)])
    assert mx.array_equal(loaded(picture), model(picture))
    assert sorted(path.name for path in (tmp_path / "model").iterdir()) == ["config.json", "weights.safetensors"]


@pytest.mark.parametrize("backend", ["native", "mlx"])
def test_a_scorer_reads_the_weights_once(backend, monkeypatch):
    read, paths = pretrained.read_tensors, []
    monkeypatch.setattr(pretrained, "read_tensors", lambda path: paths.append(path) or read(path))
    Scorer(backend=backend)
    assert [path.name for path in paths] == ["weights.safetensors"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "cannot read the model configuration"),
        ("[1]", "must be a JSON object, got list"),
        ("[" * 100_000, "cannot read the model configuration"),
        ('{"canvas": 128}', "renders a canvas of 256 with a padding of 12; the model needs 128 and 12"),
        ('{"line_width": "thick"}', 'line_width must be a value like 1.5, got "thick"'),
        ('{"line_width": 1e999}', "line_width must be above 0 and at most 256"),
        ('{"line_width": 1' + "0" * 400 + "}", "line_width must be a value like 1.5, got 1000"),
        ('{"line_width": 1' + "0" * 9000 + "}", "cannot read the model configuration"),
        ('{"line_width": 300}', "line_width must be above 0 and at most 256"),
        ('{"channels": [4, "8"]}', "channels must be a value like"),
        ('{"channels": [4, -8]}', "channels must be 2 to 64 numbers from 1 to 1024"),
        ('{"shortcut": "none"}', "shortcut must be one of"),
        ('{"batch_norm": 1}', "batch_norm must be a value like true, got 1"),
        ('{"batch_norm_epsilon": 0}', "batch_norm_epsilon must be from 1e-12 to 1"),
    ],
)
def test_a_bad_configuration_is_refused(tmp_path, content, message):
    QualityClassifier().save_pretrained(tmp_path)
    (tmp_path / "config.json").write_text(content)
    with pytest.raises(PenpalError, match=message):
        QualityClassifier.from_pretrained(tmp_path)


def test_unknown_keys_of_a_configuration_are_ignored(tmp_path):
    QualityClassifier().save_pretrained(tmp_path)
    content = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**content, "author": "someone"}))
    assert QualityClassifier.from_pretrained(tmp_path).config == ModelConfig()


@pytest.mark.parametrize("source", ["no/such/folder", "nowhere", "../x/y", "a b/c"])
def test_an_unknown_source_is_refused(source):
    with pytest.raises(PenpalError, match="neither a folder nor the id of a Hugging Face repository"):
        QualityClassifier.from_pretrained(source)


def test_a_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(PenpalError, match=r"expected config.json and weights.safetensors; the folder is empty"):
        QualityClassifier.from_pretrained(tmp_path)
    (tmp_path / "notes.txt").touch()
    with pytest.raises(PenpalError, match=r"expected config.json and weights.safetensors; it has notes.txt"):
        QualityClassifier.from_pretrained(tmp_path)


def test_what_cannot_be_written_leaves_the_model_that_was_there(tmp_path, monkeypatch):
    QualityClassifier().save_pretrained(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    model = QualityClassifier(ModelConfig(line_width=9.0))
    spoilt = model.head.weight
    model.head.weight = spoilt * float("nan")
    with pytest.raises(PenpalError, match=r"the tensor 'head\.weight' has values that are NaN or infinite"):
        model.save_pretrained(tmp_path)
    model.head.weight = spoilt

    def full(_path, _tensors):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("penpal_fast.network.model.write_tensors", full)
    with pytest.raises(PenpalError, match=r"weights\.safetensors: cannot write it: No space left"):
        model.save_pretrained(tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
