"""The search for a factor of each batch norm's variance."""

from __future__ import annotations

import mlx.core as mx
import numpy as np
import pytest

from penpal_fast import PenpalError, QualityClassifier
from penpal_fast.training.recipe import Tuning
from penpal_fast.training.tuning import tune

SEARCH = {"figures": {"real_kept": 1.0}, "generations": 3}
FIGURES = {"auc_real_corrupted": 2.0, "length_correlation": -1.0}


@pytest.fixture
def model():
    mx.random.seed(2)
    return QualityClassifier().eval()


def variances(model):
    return {name: values for name, values in model.tensors().items() if name.endswith("running_var")}


def distance_from(wanted):
    """Return what measures how far the logarithms of the variances are from those wanted."""

    def measure(model):
        logarithms = np.concatenate([np.log(values / wanted[name]) for name, values in variances(model).items()])
        return {"length_correlation": float((logarithms**2).mean())}

    return measure


def test_the_factors_that_make_most_of_the_figures_are_found(model):
    before, tensors = variances(model), model.tensors()
    random = np.random.default_rng(3)
    wanted = {name: values * np.float32(np.exp(random.normal(0, 0.05))) for name, values in before.items()}
    measure, shown = distance_from(wanted), []
    far = measure(model)["length_correlation"]
    tune(model, Tuning(FIGURES, generations=40), measure, lambda done, total: shown.append((done, total)))
    assert measure(model)["length_correlation"] < far / 10
    assert shown == [(done, 40) for done in range(41)]
    for name, values in model.tensors().items():
        factors = values[before[name] > 0] / tensors[name][before[name] > 0] if name in before else None
        assert np.ptp(factors) < 1e-5 if name in before else np.array_equal(values, tensors[name])


def test_a_search_that_finds_nothing_better_changes_nothing(model):
    before = model.tensors()
    measure = distance_from(variances(model))
    tune(model, Tuning(FIGURES, generations=3), measure)
    assert all(np.array_equal(values, before[name]) for name, values in model.tensors().items())
    tune(model, Tuning({"junk_dropped": 1.0}, generations=1), lambda _model: {})
    assert all(np.array_equal(values, before[name]) for name, values in model.tensors().items())


def test_a_network_without_a_figure_is_not_chosen(model):
    measured, before = [], model.tensors()

    def measure(_model):
        measured.append(None)
        return {"length_correlation": 0.1} if len(measured) <= 2 else {}

    tune(model, Tuning({"length_correlation": -0.3}, generations=2), measure)
    assert all(np.array_equal(values, before[name]) for name, values in model.tensors().items())


def test_a_search_depends_on_its_seed_alone(model):
    wanted = {name: values * np.float32(1.05) for name, values in variances(model).items()}
    first = model.tensors()
    found = []
    for seed in (1, 1, 2):
        model.load_weights([(name, mx.array(values)) for name, values in first.items()])
        tune(model, Tuning(FIGURES, generations=2, seed=seed), distance_from(wanted))
        found.append(np.concatenate([values.ravel() for values in variances(model).values()]))
    assert np.array_equal(found[0], found[1])
    assert not np.array_equal(found[0], found[2])


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"figures": {"auc": 1.0}}, r"figures has unknown fields \['auc'\]; the fields are \['auc_clean_corrupted'"),
        ({"figures": {"real_kept": float("nan")}}, "figures must be from minus a million to a million"),
        ({"figures": {"real_kept": 1.0}}, "a search needs figures, generations and a spread above 0"),
        ({"generations": 3}, "a search needs figures, generations"),
        ({**SEARCH, "spread": 0.0}, "a search needs figures, generations and a spread above 0"),
        ({"generations": -1}, "generations must be a whole number from 0"),
        ({"spread": 2.0}, "spread must be a number from 0 to 1"),
    ],
)
def test_bad_tunings_are_refused(values, message):
    with pytest.raises(PenpalError, match=message):
        Tuning(**values)
