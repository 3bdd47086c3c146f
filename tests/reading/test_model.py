"""The reader network: its files, and that it computes what was trained."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import mlx.core as mx
import numpy as np
import pytest

from penpal_fast.errors import PenpalError
from penpal_fast.reading.config import ReaderConfig
from penpal_fast.reading.model import ReaderNetwork
from penpal_fast.reading.weights import expected_shapes

SMALL = ReaderConfig(letters="abc ", stem_channels=(6, 8), dilations=(1, 2))


def test_shapes_are_as_named() -> None:
    network = ReaderNetwork(SMALL)
    assert {name: values.shape for name, values in network.tensors().items()} == expected_shapes(SMALL)


@pytest.mark.parametrize("samples", [1, 2, 5, 6, 7, 40])
def test_frames_are_counted_and_probabilities_sum_to_one(samples: int) -> None:
    paths = mx.random.normal((2, samples, 5))
    log_probabilities = np.array(ReaderNetwork(SMALL)(paths))
    assert log_probabilities.shape == (2, SMALL.frames(samples), SMALL.outputs)
    np.testing.assert_allclose(np.exp(log_probabilities).sum(axis=-1), 1, atol=1e-5)


def test_multiplications_are_counted() -> None:
    frames = SMALL.frames(60)
    assert frames == 10
    stem = 20 * 5 * 6 * 9 + 10 * 6 * 8 * 7
    assert SMALL.multiplications(60) == stem + 10 * (2 * (8 * 9 + 8 * 8) + 8 * 5)


def test_saved_weights_are_found_again(tmp_path: Path) -> None:
    network = ReaderNetwork(SMALL)
    network.save_pretrained(tmp_path)
    again = ReaderNetwork.from_pretrained(tmp_path)
    assert again.config == SMALL
    for name, values in again.tensors().items():
        np.testing.assert_allclose(values, network.tensors()[name], rtol=1e-3, atol=1e-6)


def test_tensors_of_another_configuration_are_refused(tmp_path: Path) -> None:
    ReaderNetwork(SMALL).save_pretrained(tmp_path)
    other = dataclasses.replace(SMALL, dilations=(1, 2, 4))
    (tmp_path / "config.json").write_text(other.to_json())
    with pytest.raises(PenpalError, match=r"blocks\.2\.mix\.weight"):
        ReaderNetwork.from_pretrained(tmp_path)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("letters", ""),
        ("letters", "aa"),
        ("inputs", 4),
        ("stem_channels", (8,)),
        ("stem_kernels", (9, 6)),
        ("stem_strides", (3, 0)),
        ("block_kernel", 8),
        ("dilations", ()),
        ("dilations", (1, 1000)),
    ],
)
def test_configurations_that_cannot_be_built_are_refused(field: str, value: object) -> None:
    with pytest.raises(PenpalError, match=r"config: .*" + field.removeprefix("stem_").rstrip("s")):
        dataclasses.replace(ReaderConfig(), **{field: value})


def test_a_row_reads_the_same_in_training_whatever_it_is_batched_with() -> None:
    torch = pytest.importorskip("torch")
    from penpal_fast.training.reader.network import TrainedReader

    network = TrainedReader(SMALL).eval()
    paths = torch.randn(2, 50, 5)
    paths[1, 31:] = 0
    together, frames = network(paths, torch.tensor([50, 31]))
    alone, _ = network(paths[1:, :31], torch.tensor([31]))
    assert frames.tolist() == [SMALL.frames(50), SMALL.frames(31)]
    torch.testing.assert_close(together[1, : frames[1]], alone[0], atol=1e-5, rtol=1e-4)


def test_mlx_computes_what_was_trained() -> None:
    torch = pytest.importorskip("torch")
    from penpal_fast.training.reader.network import TrainedReader, folded

    torch.manual_seed(3)
    trained = TrainedReader(SMALL)
    paths = torch.randn(4, 90, 5)
    samples = torch.full((4,), 90)
    for _ in range(3):  # Batch norm takes up some statistics.
        trained(paths, samples)
    expected = trained.eval()(paths, samples)[0].detach().numpy()
    network = ReaderNetwork(SMALL)
    network.load_weights([(name, mx.array(values.astype(np.float32))) for name, values in folded(trained).items()])
    np.testing.assert_allclose(np.array(network(mx.array(paths.numpy()))), expected, atol=1e-4)
