"""A step of training, pictures to the gradient by every weight: Rust against PyTorch and MLX on the same pictures.

    python benches/training.py [LINES.parquet]

All start from the same weights with batch norm in training mode and two threads, but for MLX, which has one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np
from mlx.utils import tree_flatten

from measuring import Work, options_parser, print_times, read_lines, take_turns
from penpal_fast import QualityClassifier, render_into
from penpal_fast.training.gradients import gradient_of, loss

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray


def native(pictures: NDArray[np.float32], targets: NDArray[np.float32]) -> Work:
    model, slopes = QualityClassifier().train(), mx.zeros(len(targets))
    gradient = gradient_of(model)

    def step() -> object:
        found = gradient(mx.array(pictures), mx.array(targets), slopes)
        mx.eval(found, model.state)
        return found.logits

    return step


def mlx(pictures: NDArray[np.float32], targets: NDArray[np.float32]) -> Work:
    """MLX's own gradients, without `mx.compile`, which takes a C++ compiler."""
    model, slopes = QualityClassifier().train(), mx.zeros(len(targets))

    def loss_of(pictures: mx.array, targets: mx.array) -> mx.array:
        return loss(model(pictures), targets, slopes)

    value_and_gradient = nn.value_and_grad(model, loss_of)

    def step() -> object:
        found = value_and_gradient(mx.array(pictures), mx.array(targets))
        mx.eval(found, model.state)
        return found

    return step


def pytorch(pictures: NDArray[np.float32], targets: NDArray[np.float32]) -> Work:
    import torch
    from torch.nn import functional

    torch.set_num_threads(2)
    model = QualityClassifier()
    numbers: dict[str, Any] = {
        name: torch.tensor(np.array(values), requires_grad=True)
        for name, values in dict(tree_flatten(model.trainable_parameters())).items()
    }
    channels_last: Any = torch.channels_last
    canvases = torch.tensor(pictures).permute(0, 3, 1, 2).contiguous(memory_format=channels_last)
    wanted = torch.tensor(targets)

    def layer(x: Any, convolution: str, norm: str, stride: int) -> Any:
        weight = numbers[f"{convolution}.weight"].permute(0, 3, 1, 2)
        sums = functional.conv2d(x, weight, stride=stride, padding=1)
        scale, shift = numbers[f"{norm}.weight"], numbers[f"{norm}.bias"]
        return functional.batch_norm(sums, None, None, scale, shift, training=True)

    def step() -> object:
        x = torch.relu(layer(canvases, "stem.conv", "stem.norm", 2))
        for number in range(len(model.blocks)):
            name = f"blocks.{number}"
            y = torch.relu(layer(x, f"{name}.conv1", f"{name}.norm1", 2))
            y = layer(y, f"{name}.conv2", f"{name}.norm2", 1)
            around = functional.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 0, y.shape[1] - x.shape[1]))
            x = torch.relu(y + around)
        logits = x.mean((2, 3)) @ numbers["head.weight"][0] + numbers["head.bias"]
        value = functional.binary_cross_entropy_with_logits(logits, wanted)
        return torch.autograd.grad(value, list(numbers.values()))

    return step


CONTESTANTS: dict[str, Callable[..., Work]] = {"Rust": native, "PyTorch": pytorch, "MLX": mlx}


def main() -> None:
    parser = options_parser(__doc__, rows=64, rounds=5)
    parser.add_argument("--mlx-rows", type=int, default=16, help="MLX is slow on a CPU, so it gets fewer of the rows")
    options = parser.parse_args()
    column = read_lines(options.lines, options.rows)
    pictures = np.empty((len(column), 256, 256, 1), np.float32)
    render_into(column, pictures)
    targets = np.random.default_rng(1).integers(0, 2, len(column)).astype(np.float32)
    works, rows = {}, {}
    for name, make in CONTESTANTS.items():
        rows[name] = min(options.mlx_rows, len(column)) if name == "MLX" else len(column)
        try:
            works[name] = make(pictures[: rows[name]], targets[: rows[name]])
        except ImportError as error:
            print(f"left out {name}: {error}")
    title = f"{options.lines.name}: steps of {len(column)} pictures"
    print_times(title, take_turns(works, options.rounds), rows, "Rust")


if __name__ == "__main__":
    main()
