"""What a stage learns from the network that it begins with."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from helpers.made_lines import scrawl
from penpal_fast import PenpalError, QualityClassifier, Scorer
from penpal_fast.handwriting.geometry import Geometry
from penpal_fast.handwriting.lines import Line, Split
from penpal_fast.network.config import ModelConfig
from penpal_fast.training import loop
from penpal_fast.training.examples import TARGETS, Examples, Sources
from penpal_fast.training.recipe import Optimization, Recipe, Shares, Stage, Teaching
from penpal_fast.training.run import Inputs, run_recipe
from penpal_fast.training.teacher import LARGEST, Teacher

BATCH = 32


@pytest.fixture(scope="module")
def model():
    return QualityClassifier.from_pretrained()


@pytest.fixture(scope="module")
def rows():
    return [[np.array(stroke) for stroke in scrawl(seed, 4, 12)] for seed in range(20)]


@pytest.fixture(scope="module")
def sources(rows):
    lines = [Line([[stroke] for stroke in row], "abcd", f"form-{number}") for number, row in enumerate(rows)]
    return Sources(*[Split(lines[start::3], lines[:2]) for start in range(3)])


def logits(model, rows):
    score = Scorer(model, backend="native").score(rows).astype(np.float64)
    return np.log(score / (1 - score))


def test_one_view_is_the_row_as_it_is(model, rows):
    found = Teacher(model, 1).logits(rows, np.random.default_rng(1))
    assert np.allclose(found, logits(model, rows), atol=1e-4)


def test_views_are_the_row_and_small_changes_of_it(model, rows, monkeypatch):
    seen = []
    changed = Geometry.__call__
    monkeypatch.setattr(Geometry, "__call__", lambda self, strokes: seen.append(self) or changed(self, strokes))
    found = Teacher(model, 6).logits(rows, np.random.default_rng(1))
    views = np.array([(one.slope, one.slant, np.log(one.stretch)) for one in seen]).reshape(len(rows), 6, 3)
    assert not views[:, 0].any()
    largest = np.array([LARGEST.slope, LARGEST.slant, np.log(LARGEST.stretch)])
    assert (np.abs(views) <= largest).all()
    assert (np.abs(views).max(axis=(0, 1)) > 0.9 * largest).all()
    assert len(np.unique(views[:, 1:].reshape(-1, 3), axis=0)) == 5 * len(rows)
    each = [logits(model, [change(row) for row in rows]) for change in (seen[1], seen[-1])]
    assert not np.allclose(each[0], each[1], atol=0.01), "a change of geometry changes the score of a scrawl"
    every = [
        logits(model, [Geometry(*change)(row) for change in _geometries(views[number])]).mean()
        for number, row in enumerate(rows)
    ]
    assert np.allclose(found, every, atol=1e-3)


def _geometries(views):
    return [(slope, slant, np.exp(stretch)) for slope, slant, stretch in views]


def test_calibration_finds_the_scale_and_shift_of_the_targets(model):
    teacher = Teacher(model, 1)
    said = np.linspace(-6, 4, 200)
    teacher.calibrate(said, (1 / (1 + np.exp(-(0.5 * said - 1)))).astype(np.float32))
    assert (teacher._scale, teacher._shift) == pytest.approx((0.5, -1), abs=1e-4)
    teacher.calibrate(np.zeros(4), np.array([0, 0, 0, 1], np.float32))  # All alike: their mean target.
    assert 1 / (1 + np.exp(-teacher._shift)) == pytest.approx(0.25, abs=1e-3)
    teacher.calibrate(np.zeros(0), np.zeros(0, np.float32))
    assert np.isfinite([teacher._scale, teacher._shift]).all()


def stage(share, views=3, **shares):
    kinds = {"real": 0.3, "clean": 0.2, "corrupted": 0.2, "junk": 0.2, "outlier": 0.1} | shares
    plan = Optimization(pictures=4 * BATCH, batch_size=BATCH, checkpoint_steps=2, average_decay=0.5)
    return Stage(Shares(**kinds), optimization=plan, teaching=Teaching(share, views))


def test_a_teacher_changes_the_targets_of_lines_alone(model, sources):
    without = Examples(sources, stage(0), 1.5).step(3)
    taught, again = (Examples(sources, stage(0.75), 1.5, Teacher(model, 3)).step(3) for _ in range(2))
    for row, other in zip(without.rows, taught.rows, strict=True):
        assert all(np.array_equal(one, two) for one, two in zip(row, other, strict=True))
    assert np.array_equal(taught.targets, again.targets)
    assert taught.line_width == without.line_width
    said = (taught.targets - 0.25 * without.targets) / 0.75
    assert ((said >= 0) & (said <= 1)).all()
    assert (said[without.targets > 0] != without.targets[without.targets > 0]).all()
    assert len(np.unique(said)) > BATCH / 2


def test_junk_and_outliers_are_bad_whatever_the_teacher_says(model, sources):
    shares = {"real": 0, "clean": 0, "corrupted": 0, "junk": 0.5, "outlier": 0.5}
    taught = Examples(sources, stage(1, **shares), 1.5, Teacher(model, 2)).step(0)
    assert not taught.targets.any()


def test_the_teacher_says_how_good_lines_are_on_the_scale_of_the_targets(model, sources):
    shares = {"real": 0.5, "clean": 0, "corrupted": 0.5, "junk": 0, "outlier": 0}
    examples = Examples(sources, stage(1, **shares), 1.5, Teacher(model, 2))
    drawn = np.concatenate([examples.step(step).targets for step in range(10)])
    assert drawn.mean() == pytest.approx((TARGETS["real"] + TARGETS["corrupted"]) / 2, abs=0.06)


def test_a_stage_learns_from_the_weights_before_it_after_a_kill_too(sources, tmp_path):
    recipe = Recipe(stages=(stage(0), stage(0.5)))
    weights = []
    for kill in (None, 1, 3):  # After the first checkpoint of the first stage, or of the second.
        work, checkpoints = tmp_path / str(kill), []
        work.mkdir()

        def measure(_model, kill=kill, checkpoints=checkpoints):
            checkpoints.append(None)
            if len(checkpoints) == kill:
                raise KeyboardInterrupt
            return {}

        if kill is not None:
            with pytest.raises(KeyboardInterrupt):
                loop.train(sources, recipe, work, start=None, measure=measure)
        weights.append(loop.train(sources, recipe, work, start=None, measure=measure).tensors())
    for other in weights[1:]:
        assert all(np.array_equal(values, other[name]) for name, values in weights[0].items())
    (tmp_path / "alone").mkdir()
    alone = Recipe(stages=(stage(0), stage(0)))
    untaught = loop.train(sources, alone, tmp_path / "alone", start=None, measure=lambda _model: {}).tensors()
    assert any(not np.array_equal(values, untaught[name]) for name, values in weights[0].items())


def test_the_first_stage_needs_a_network_to_learn_from(tmp_path):
    with pytest.raises(PenpalError, match=r"the first stage learns from the network before it, .* --start"):
        run_recipe(Recipe(stages=(stage(0.5),)), Inputs(tmp_path / "real.parquet"), tmp_path / "work", tmp_path / "out")


@pytest.mark.parametrize("values", [{"share": 1.5}, {"share": "0.5"}, {"views": 0}, {"views": 2.5}, {"count": 3}])
def test_teaching_out_of_range_is_an_error(tmp_path, values):
    path = tmp_path / "recipe.json"
    path.write_text(json.dumps({"stages": [{"teaching": values}]}))
    with pytest.raises(PenpalError, match=r"share|views|count"):
        Recipe.from_file(path)


def test_a_recipe_keeps_what_is_taught():
    recipe = Recipe(ModelConfig(), stages=(stage(0.5, 7),))
    assert Recipe.from_dict(json.loads(json.dumps(recipe.to_dict()))) == recipe
    assert dataclasses.replace(recipe, stages=(stage(0.5),)) != recipe
