"""The gradients of training: Rust against finite differences in float64, and against MLX."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys

import mlx.core as mx
import numpy as np
import pytest
from mlx.utils import tree_flatten

from penpal_fast import ModelConfig, PenpalError, QualityClassifier
from penpal_fast._core import Backpropagation
from penpal_fast.training import gradients
from penpal_fast.training.gradients import gradient_of

EPSILON = 1e-5


def made_layers(channels, projection, random):
    """Weights [outputs, kernel, kernel, inputs], scale and shift of each layer, in float32."""

    def layer(inputs, outputs, kernel):
        weights = random.normal(0, 1 / np.sqrt(kernel * kernel * inputs), (outputs, kernel, kernel, inputs))
        return [weights, random.normal(1, 0.3, outputs), random.normal(0, 0.3, outputs)]

    layers = [layer(1, channels[0], 3)]
    for inputs, outputs in itertools.pairwise(channels):
        layers += [layer(inputs, outputs, 3), layer(outputs, outputs, 3)]
        if projection:
            layers.append(layer(inputs, outputs, 1))
    return [[values.astype(np.float32) for values in layer] for layer in layers]


def made_pictures(count, random):
    pictures = np.zeros((count, 256, 256, 1), np.float32)
    for picture in pictures:
        top, left = random.integers(0, 200, 2)
        picture[top : top + 56, left:] = random.random((56, 256 - left, 1)) * (random.random((56, 256 - left, 1)) < 0.3)
    return pictures


def convolved(x, weights, stride):
    """Convolve [B, H, W, inputs] by the definition, in float64."""
    kernel = weights.shape[1]
    border = kernel // 2
    padded = np.pad(x, [(0, 0), (border, border), (border, border), (0, 0)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, (kernel, kernel), axis=(1, 2))[:, ::stride, ::stride]
    return np.einsum("bhwikl,okli->bhwo", windows, weights, optimize=True)


def normed(x, layer, stride, statistics, fixed):
    weights, scale, shift = layer
    sums = convolved(x, weights, stride)
    mean, variance = fixed[len(statistics)] if fixed else (sums.mean((0, 1, 2)), sums.var((0, 1, 2)))
    statistics.append((sums.mean((0, 1, 2)), sums.var((0, 1, 2), ddof=1)))
    return (sums - mean) / np.sqrt(variance + EPSILON) * scale + shift


def plain_logits(layers, head, pictures, projection, statistics, fixed=None):
    """Return the logits in float64; add the statistics of each layer."""
    following = iter(layers)
    x = np.maximum(normed(pictures.astype(np.float64), next(following), 2, statistics, fixed), 0)
    for _ in range((len(layers) - 1) // (3 if projection else 2)):
        y = np.maximum(normed(x, next(following), 2, statistics, fixed), 0)
        y = normed(y, next(following), 1, statistics, fixed)
        if projection:
            around = normed(x, next(following), 2, statistics, fixed)
        else:
            around = np.pad(x[:, ::2, ::2], [(0, 0)] * 3 + [(0, y.shape[-1] - x.shape[-1])])
        x = np.maximum(y + around, 0)
    return x.mean((1, 2)) @ head[0] + head[1]


def flat(layers):
    return [tuple(values.reshape(-1) for values in layer) for layer in layers]


@pytest.mark.parametrize("is_fixed", [False, True])
@pytest.mark.parametrize(
    ("channels", "projection"), [((4, 8, 16, 32, 32), False), ((1, 3, 20), False), ((8, 5, 40, 16), True)]
)
def test_gradients_are_the_finite_differences_in_float64(channels, projection, is_fixed):
    random = np.random.default_rng(4)
    layers, pictures = made_layers(channels, projection, random), made_pictures(2, random)
    head, bias = random.normal(0, 1, channels[-1]).astype(np.float32), 0.25
    by_logits = np.array([1.0, -0.6], np.float32)

    fixed = [(random.normal(0, 0.3, len(layer[1])), random.uniform(0.5, 2, len(layer[1]))) for layer in layers]
    fixed = [tuple(values.astype(np.float32) for values in pair) for pair in fixed] if is_fixed else None

    def loss(layers, head, bias, statistics):
        return plain_logits(layers, (head, bias), pictures, projection, statistics, fixed) @ by_logits

    network = Backpropagation(list(channels), projection, EPSILON, threads=2)
    logits, statistics = network.forward(flat(layers), head, bias, pictures, fixed)
    expected = []
    assert logits == pytest.approx(plain_logits(layers, (head, bias), pictures, projection, expected, fixed), abs=1e-5)
    for found, true in zip(statistics, expected, strict=True):
        true = np.stack(true)
        assert np.stack(found) == pytest.approx(true, rel=1e-4, abs=1e-5 * np.abs(true).max())

    by_layers, by_head, by_bias = network.backward(by_logits)
    step = 1e-6

    def slope(number, direction, by_numbers):
        """Return the slope of the loss in a direction: the finite difference, and the gradient's."""

        def moved(sign):
            changed = [[values.astype(np.float64) for values in layer] for layer in layers]
            changed[number] = [
                values + sign * step * way for values, way in zip(changed[number], direction, strict=True)
            ]
            return loss(changed, head, bias, [])

        computed = sum(float(by @ way.reshape(-1)) for by, way in zip(by_numbers, direction, strict=True))
        return (moved(1) - moved(-1)) / (2 * step), computed

    for number, (layer, by_numbers) in enumerate(zip(layers, by_layers, strict=True)):
        length = np.sqrt(sum(float(by @ by) for by in by_numbers))
        for part in range(3):
            direction = [random.normal(0, 1, values.shape) * (kind == part) for kind, values in enumerate(layer)]
            found, computed = slope(number, direction, by_numbers)
            # One or two units may be active in float32 and not in float64.
            assert computed == pytest.approx(found, rel=1e-3, abs=1e-3 * length)
    averages = [
        plain_logits(layers, (row, 0.0), pictures, projection, [], fixed) @ by_logits for row in np.eye(channels[-1])
    ]
    assert by_head == pytest.approx(averages, rel=1e-4, abs=1e-5)
    assert by_bias == pytest.approx(by_logits.sum())


def test_gradients_do_not_depend_on_the_threads():
    random = np.random.default_rng(5)
    layers, pictures = flat(made_layers((4, 8, 8), False, random)), made_pictures(5, random)
    head, by_logits = random.normal(0, 1, 8).astype(np.float32), random.normal(0, 1, 5).astype(np.float32)

    def numbers(threads):
        network = Backpropagation([4, 8, 8], False, EPSILON, threads)
        logits, _ = network.forward(layers, head, 0.0, pictures)
        by_layers, by_head, _ = network.backward(by_logits)
        return np.concatenate([logits, by_head, *(values for layer in by_layers for values in layer)])

    one = numbers(1)
    assert all(np.array_equal(one, numbers(threads)) for threads in (2, 3))


def test_a_smaller_batch_is_independent_of_a_larger_one_before():
    random = np.random.default_rng(6)
    layers, pictures = flat(made_layers((4, 8), False, random)), made_pictures(3, random)
    head = random.normal(0, 1, 8).astype(np.float32)
    used, fresh = (Backpropagation([4, 8], False, EPSILON, 1) for _ in range(2))
    used.forward(layers, head, 0.0, pictures)
    used.backward(np.ones(3, np.float32))
    outcomes = []
    for network in (used, fresh):
        logits, _ = network.forward(layers, head, 0.0, pictures[1:])
        by_layers, *_ = network.backward(np.ones(2, np.float32))
        outcomes.append(np.concatenate([logits, *(values for layer in by_layers for values in layer)]))
    assert np.array_equal(*outcomes)


def test_what_is_not_finite_shows_in_the_logits():
    random = np.random.default_rng(9)
    layers, pictures = flat(made_layers((4, 8), False, random)), made_pictures(2, random)
    head = np.zeros(8, np.float32)
    network = Backpropagation([4, 8], False, EPSILON, 1)
    pictures[1, 7, 7] = np.nan
    assert np.isnan(network.forward(layers, head, 0.0, pictures)[0]).all()
    pictures[1, 7, 7] = 0
    for place, (one, bad) in itertools.product(range(3), ((0, np.nan), (0, np.inf), (1, np.nan), (1, -1.0))):
        fixed = [(np.zeros(count, np.float32), np.ones(count, np.float32)) for count in (4, 8, 8)]
        fixed[place][one][3] = bad
        assert np.isnan(network.forward(layers, head, 0.0, pictures, fixed)[0]).all()
    assert np.isfinite(network.forward(layers, head, 0.0, pictures)[0]).all()


def test_unaligned_and_strided_arrays_are_refused():
    random = np.random.default_rng(10)
    layers, pictures = flat(made_layers((4, 8), False, random)), made_pictures(2, random)
    head = np.zeros(8, np.float32)
    network = Backpropagation([4, 8], False, EPSILON, 1)
    unaligned = np.ndarray(pictures.shape, np.float32, buffer=bytearray(pictures.nbytes + 1), offset=1)
    for bad in (unaligned, pictures.transpose(0, 2, 1, 3)):
        with pytest.raises(PenpalError, match="pictures must be C-contiguous and aligned"):
            network.forward(layers, head, 0.0, bad)
    with pytest.raises(PenpalError, match="head_weight must be C-contiguous and aligned"):
        network.forward(layers, np.ndarray((8,), np.float32, buffer=bytearray(33), offset=1), 0.0, pictures)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_child_can_train():
    program = (
        "import os, numpy as np\n"
        "from penpal_fast._core import Backpropagation\n"
        "network = Backpropagation([4, 8], False, 1e-5, 2)\n"
        "layers = [(np.ones(n * k, 'f4'), np.ones(n, 'f4'), np.ones(n, 'f4')) for n, k in ((4, 9), (8, 36), (8, 72))]\n"
        "def work():\n"
        "    network.forward(layers, np.ones(8, 'f4'), 0.0, np.ones((2, 256, 256, 1), 'f4'))\n"
        "    network.backward(np.ones(2, 'f4'))\n"
        "work()\n"
        "child = os.fork()\n"
        "work()\n"
        "if child:\n"
        "    raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n"
        "os._exit(0)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_arguments_that_do_not_fit_are_refused():
    random = np.random.default_rng(7)
    layers, pictures = flat(made_layers((4, 8), False, random)), made_pictures(2, random)
    head = np.zeros(8, np.float32)
    network = Backpropagation([4, 8], False, EPSILON, 1)
    with pytest.raises(PenpalError, match="the layers or their statistics do not fit"):
        network.forward(layers[:-1], head, 0.0, pictures)
    with pytest.raises(PenpalError, match="the layers or their statistics do not fit"):
        network.forward(layers, head[:3], 0.0, pictures)
    fixed = [(np.zeros(count, np.float32), np.ones(count, np.float32)) for count in (4, 8, 8)]
    for bad in (fixed[:-1], [*fixed[:-1], (fixed[0][0], fixed[2][1])]):
        with pytest.raises(PenpalError, match="statistics do not fit"):
            network.forward(layers, head, 0.0, pictures, bad)
    with pytest.raises(PenpalError, match="256, 256, 1"):
        network.forward(layers, head, 0.0, pictures[:, :128])
    with pytest.raises(PenpalError, match="256, 256, 1"):
        network.forward(layers, head, 0.0, pictures[:0])
    with pytest.raises(PenpalError, match="backward needs one forward call"):
        network.backward(np.ones(2, np.float32))
    network.forward(layers, head, 0.0, pictures)
    with pytest.raises(PenpalError, match="backward needs one forward call"):
        network.backward(np.ones(3, np.float32))
    network.backward(np.ones(2, np.float32))
    with pytest.raises(PenpalError, match="backward needs one forward call"):
        network.backward(np.ones(2, np.float32))
    for channels, projection in (([4], False), ([8, 4], False), ([4] * 8, False), ([4, 0], True), ([], True)):
        with pytest.raises(PenpalError, match="cannot be trained: it needs 2 to 7 layers"):
            Backpropagation(channels, projection, EPSILON, 1)


@pytest.mark.parametrize("is_training", [True, False])
@pytest.mark.parametrize("shortcut", ["identity", "projection"])
def test_the_cpu_and_mlx_agree(shortcut, is_training, monkeypatch):
    # MLX compiles for a processor with a C++ compiler, which not every machine has.
    monkeypatch.setattr(gradients.mx, "compile", lambda function, **_: function)
    random = np.random.default_rng(8)
    pictures = mx.array(made_pictures(4, random))
    targets, slopes = mx.array([0.0, 0.5, 1.0, 1.0]), mx.array([0.0, 0.0, 0.3, -0.2])

    def step(gradient):
        mx.random.seed(3)
        model = QualityClassifier(ModelConfig(shortcut=shortcut)).train(is_training)
        before = model.tensors()
        found = gradient(model)(pictures, targets, slopes)
        changed = {name for name, values in model.tensors().items() if not np.array_equal(values, before[name])}
        assert all("running" in name for name in changed)
        assert bool(changed) == is_training
        return found, dict(tree_flatten(found.gradients)), model.tensors()

    mine, by_name, tensors = step(gradients._cpu_gradient)
    other, other_by_name, other_tensors = step(gradients._mlx_gradient)
    assert mine.loss.item() == pytest.approx(other.loss.item(), abs=1e-4)
    assert np.array(mine.logits) == pytest.approx(np.array(other.logits), abs=1e-3)
    assert by_name.keys() == other_by_name.keys()
    for name, values in by_name.items():
        one, two = np.array(values), np.array(other_by_name[name])
        assert one.shape == two.shape
        # MLX is the inexact one: its convolutions round to about 1e-5, which turns some units on or off.
        assert np.vdot(one, two) >= 0.98 * np.linalg.norm(one) * np.linalg.norm(two), name
        assert np.linalg.norm(one) == pytest.approx(np.linalg.norm(two), rel=0.1, abs=1e-6), name
    for name, values in tensors.items():
        if "running" in name:
            assert values == pytest.approx(other_tensors[name], rel=2e-3, abs=1e-4), name


def test_the_cpu_is_used_unless_there_is_a_gpu(monkeypatch):
    chosen = []
    for name in ("_cpu_gradient", "_mlx_gradient"):
        monkeypatch.setattr(gradients, name, lambda _model, name=name: chosen.append(name))
    for device in (mx.cpu, mx.gpu):
        monkeypatch.setattr(gradients.mx, "default_device", lambda device=device: device)
        gradient_of(QualityClassifier())
    assert chosen == ["_cpu_gradient", "_mlx_gradient"]
