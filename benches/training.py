"""A training step, from pictures to the gradient by every weight: Rust against PyTorch and MLX on the same pictures.

    python benches/training.py [LINES.parquet]

All use the same pictures, targets and weights, with batch norm as in training, on the processor. Before they are timed,
their gradients are compared with PyTorch's in float64. MLX has one thread: it gives a processor stream only one.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np
from mlx.utils import tree_flatten
from numpy.typing import NDArray

from measuring import Work, options_parser, print_times, read_lines, take_turns
from penpal_fast import QualityClassifier, render_into
from penpal_fast.training.gradients import gradient_of, loss

Gradients = dict[str, NDArray[np.float32]]


def native(
    model: QualityClassifier, pictures: NDArray[np.float32], targets: NDArray[np.float32], _threads: int
) -> Work:
    gradient = gradient_of(model)
    arguments = mx.array(pictures), mx.array(targets), mx.zeros(len(targets))

    def step() -> Gradients:
        found = gradient(*arguments).gradients
        mx.eval(found, model.state)
        return named(found)

    return step


def mlx(model: QualityClassifier, pictures: NDArray[np.float32], targets: NDArray[np.float32], _threads: int) -> Work:
    """MLX's own gradients, without `mx.compile`, which takes a C++ compiler."""
    slopes = mx.zeros(len(targets))

    def loss_of(pictures: mx.array, targets: mx.array) -> mx.array:
        return loss(model(pictures), targets, slopes)

    value_and_gradient = nn.value_and_grad(model, loss_of)
    arguments = mx.array(pictures), mx.array(targets)

    def step() -> Gradients:
        _, found = value_and_gradient(*arguments)
        mx.eval(found, model.state)
        return named(found)

    return step


def pytorch(
    model: QualityClassifier,
    pictures: NDArray[np.float32],
    targets: NDArray[np.float32],
    threads: int,
    kind: str = "float32",
) -> Work:
    import torch
    from torch.nn import functional

    torch.set_num_threads(threads)
    numbers: dict[str, Any] = {
        name: torch.tensor(np.array(values, kind), requires_grad=True)
        for name, values in dict(tree_flatten(model.trainable_parameters())).items()
    }
    channels_last: Any = torch.channels_last
    canvases = torch.tensor(pictures.astype(kind)).permute(0, 3, 1, 2).contiguous(memory_format=channels_last)
    wanted = torch.tensor(targets.astype(kind))

    def layer(x: Any, convolution: str, norm: str, stride: int) -> Any:
        weight = numbers[f"{convolution}.weight"].permute(0, 3, 1, 2)
        sums = functional.conv2d(x, weight, stride=stride, padding=1)
        scale, shift = numbers[f"{norm}.weight"], numbers[f"{norm}.bias"]
        return functional.batch_norm(sums, None, None, scale, shift, training=True)

    def step() -> Gradients:
        x = torch.relu(layer(canvases, "stem.conv", "stem.norm", 2))
        for number in range(len(model.blocks)):
            name = f"blocks.{number}"
            y = torch.relu(layer(x, f"{name}.conv1", f"{name}.norm1", 2))
            y = layer(y, f"{name}.conv2", f"{name}.norm2", 1)
            around = functional.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 0, y.shape[1] - x.shape[1]))
            x = torch.relu(y + around)
        logits = x.mean((2, 3)) @ numbers["head.weight"][0] + numbers["head.bias"]
        value = functional.binary_cross_entropy_with_logits(logits, wanted)
        found = torch.autograd.grad(value, list(numbers.values()))
        return {name: values.numpy() for name, values in zip(numbers, found, strict=True)}

    return step


def named(gradients: Any) -> Gradients:
    return {name: np.array(values) for name, values in dict(tree_flatten(gradients)).items()}


def compare(name: str, found: Gradients, exact: Gradients) -> None:
    """Print the gradients' error against float64; refuse gradients of another network."""
    apart = [float(np.linalg.norm(found[key] - values) / np.linalg.norm(values)) for key, values in exact.items()]
    print(f"{name}: off by {np.median(apart):.1e} in norm, the median of all arrays; at most {max(apart):.1e}")
    assert max(apart) < (1e-3 if name == "Rust" else 0.5), name


def fresh() -> QualityClassifier:
    mx.random.seed(1)
    return QualityClassifier().train()


CONTESTANTS: dict[str, Callable[..., Work]] = {"Rust": native, "PyTorch": pytorch, "MLX": mlx}


def main() -> None:
    parser = options_parser(__doc__, rows=64, rounds=5)
    parser.add_argument("--mlx-rows", type=int, default=16, help="MLX is slow on a CPU, so it gets fewer of the rows")
    options = parser.parse_args()
    mx.set_default_device(mx.cpu)
    column = read_lines(options.lines, options.rows)
    pictures = np.empty((len(column), 256, 256, 1), np.float32)
    render_into(column, pictures)
    targets = np.random.default_rng(1).integers(0, 2, len(column)).astype(np.float32)
    some = slice(0, min(options.mlx_rows, len(column)))
    works, rows = {}, {}
    threads = os.cpu_count() or 1
    for name, make in CONTESTANTS.items():
        part = some if name == "MLX" else slice(None)
        rows[name] = len(targets[part])
        try:
            works[name] = make(fresh(), pictures[part], targets[part], threads)
            exact = pytorch(fresh(), pictures[part], targets[part], threads, "float64")()
            compare(name, works[name](), exact)
        except ImportError as error:
            print(f"left out {name if name == 'PyTorch' else 'the comparison with float64'}: {error}")
    title = f"{options.lines.name}: steps of {len(column)} pictures, {threads} processors"
    print_times(title, take_turns(works, options.rounds), rows, "Rust")


if __name__ == "__main__":
    main()
