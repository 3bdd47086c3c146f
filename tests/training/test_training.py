"""Training, on lines that the tests make."""

from __future__ import annotations

import dataclasses
import json
import math

import mlx.core as mx
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

import penpal_fast
from helpers.made_generator import made_tensors, save
from helpers.made_lines import scrawl
from penpal_fast import PenpalError, QualityClassifier
from penpal_fast.cli import app
from penpal_fast.handwriting.augmentation import LONGEST, cut, follow, link, resample, resize_dots, smooth, thin
from penpal_fast.handwriting.geometry import Geometry, drawn_geometry, levelled
from penpal_fast.handwriting.height import height_of
from penpal_fast.handwriting.junk import DRAWN, KINDS, SPOILT, UNSEEN, Material
from penpal_fast.handwriting.junk.material import width_of
from penpal_fast.handwriting.lines import Line, garbled_lines, is_held_out, read_split
from penpal_fast.handwriting.outliers import OUTLIERS
from penpal_fast.schema import STROKES
from penpal_fast.training import loop
from penpal_fast.training.examples import SHORT, TARGETS, Examples, Sources, _Pool
from penpal_fast.training.log import Log
from penpal_fast.training.measurement import Validation
from penpal_fast.training.recipe import BUNDLED, FIGURES, Changes, Recipe, Shares, Stage, Tuning
from penpal_fast.training.run import Inputs, calibrate, run_recipe

ROWS = 60


def write_lines(path, points, seed):
    """Lines of 5 words; with more points a stroke is longer and curlier."""
    rows = [
        [[{"points": [{"x": x, "y": y} for x, y in stroke]}] for stroke in scrawl(seed + row, 5, points)]
        for row in range(ROWS)
    ]
    table = {
        "strokes": pa.array(rows, STROKES),
        "text": ["abc " * (1 + row % 7) for row in range(ROWS)],
        "source": [f"{chr(97 + row % 26)}{row // 26:02}-{row}" for row in range(ROWS)],
    }
    pq.write_table(pa.table(table), path)
    return path


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lines")
    kinds = {"real": 20, "clean": 12, "corrupted": 3}
    return [write_lines(folder / f"{name}.parquet", points, 100 * points) for name, points in kinds.items()]


@pytest.fixture(scope="module")
def sources(files):
    real, clean, corrupted = files
    return Sources.read(real, [clean], [corrupted])


def test_lines_are_split_by_form(files, sources):
    split = sources.real
    assert len(split.train) + len(split.validation) == ROWS
    assert len(split.train) > len(split.validation) > 0
    assert not any(is_held_out(line.source) for line in split.train)
    assert all(is_held_out(line.source) for line in split.validation)
    assert {line.source for line in split.validation} == {line.source for line in sources.clean.validation}
    assert len(split.train[0].words) == 5
    assert split.train[0].words[0][0].shape == (20, 2)
    table = pq.read_table(files[0]).drop(["source"])
    pq.write_table(table, files[0].with_name("nameless.parquet"))
    with pytest.raises(PenpalError, match=r"nameless.parquet: it needs a column 'source' or 'file'"):
        read_split(files[0].with_name("nameless.parquet"))


def test_smoothing_keeps_every_point(sources):
    random = np.random.default_rng(1)
    strokes = sources.real.train[0].strokes()
    changed = smooth(strokes, random)
    assert [stroke.shape for stroke in changed] == [stroke.shape for stroke in strokes]
    size = np.ptp(np.concatenate(strokes), axis=0).max()
    assert 0 < np.abs(np.concatenate(changed) - np.concatenate(strokes)).max() < 0.7 * size


def test_a_change_of_geometry_is_what_it_says():
    corners = [np.array([[0.0, 0.0], [10.0, 0.0], [0.0, -10.0]])]
    assert np.allclose(Geometry(stretch=4)(corners), [[[0, 0], [40, 0], [0, -10]]])
    (slanted,) = Geometry(slant=45)(corners)
    assert np.allclose(slanted, [[0, 0], [10, 0], [10, -10]]), "the top goes to the right"
    (sloped,) = Geometry(slope=30)(corners)
    assert np.allclose(sloped[1], [10 * np.cos(np.pi / 6), 5]), "y grows downward"
    random = np.random.default_rng(1)
    drawn = [drawn_geometry(random, slope=11, slant=27, stretch=4.4) for _ in range(2000)]
    slopes, slants, stretches = np.array([(one.slope, one.slant, one.stretch) for one in drawn]).T
    assert slopes.min() < -9
    assert slopes.max() > 9
    few = (np.abs(slopes) < 4) & (np.abs(slants) < 12) & (np.abs(np.log(stretches)) < 0.23)
    assert 0.3 < few.mean() < 0.5
    assert slants.min() < -23
    assert slants.max() > 23
    assert 0.45 < stretches.min() < 0.55
    assert 4 < stretches.max() < 4.5


def test_levelling_removes_the_slope_of_a_line_and_of_no_letter(sources):
    strokes = sources.real.train[0].strokes()
    x, y = np.concatenate(levelled(Geometry(slope=8)(strokes))).T
    assert abs(np.polyfit(x, y, 1)[0]) < 1e-9
    letter = [np.array([[0.0, 0.0], [1.0, 10.0], [2.0, 20.0]])]
    assert levelled(letter) is letter
    dot = [np.zeros((1, 2))]
    assert levelled(dot) is dot


def test_resampling_keeps_the_ink(sources):
    strokes = sources.real.train[0].strokes()
    for stroke, resampled in zip(strokes, resample(strokes, np.random.default_rng(1)), strict=True):
        assert np.allclose(resampled[[0, -1]], stroke[[0, -1]])
        steps = np.hypot(*np.diff(resampled, axis=0).T)
        assert steps.max() <= 0.17 * height_of(strokes)
    assert np.allclose(resample([np.ones((1, 2))], np.random.default_rng(1))[0][0], 1)


def test_only_dots_are_resized(sources):
    strokes = [*sources.real.train[0].strokes(), np.array([[5.0, 5.0], [5.1, 5.0]])]
    for seed in range(9):
        resized = resize_dots(strokes, np.random.default_rng(seed))
        assert all(np.array_equal(one, other) for one, other in zip(strokes[:-1], resized[:-1], strict=True))
        assert np.allclose(resized[-1].mean(axis=0), [5.05, 5])


def test_a_line_goes_on_with_words_of_the_next(sources):
    one, other = sources.real.train[:2]
    longer = follow(Line(one.words, "a" * 40), other)
    assert len(one.strokes()) < len(longer) <= len(one.strokes()) + len(other.strokes())
    width = np.ptp(np.concatenate(longer)[:, 0]) / np.ptp(np.concatenate(one.strokes())[:, 0])
    assert 1 < width <= LONGEST / 40
    assert len(follow(Line(one.words, "a" * LONGEST), other)) == len(one.strokes())


@pytest.mark.parametrize("kind", OUTLIERS)
def test_an_outlier_is_far_and_leaves_the_rest(sources, kind):
    random = np.random.default_rng(2)
    for row in (sources.real.train[0].strokes(), [np.zeros((1, 2)), np.ones((1, 2))], [np.eye(2)], [np.ones((1, 2))]):
        before = np.concatenate(row)
        for _ in range(30):
            changed = OUTLIERS[kind](random, row)
            after = np.concatenate(changed)
            assert (np.ptp(after, axis=0) > np.ptp(before, axis=0)).any() or kind in ("spike", "jump")
            unmoved = (after[:, None] == before[None]).all(axis=2).any(axis=0)
            assert unmoved.sum() >= (len(before) - 3 if kind != "jump" else 0)
            assert len(before) <= len(after) <= len(before) + 5
            assert len(after) > len(before) or len(np.unique(after - before, axis=0)) > 1  # Not all moved alike.
    assert np.array_equal(row[0], np.ones((1, 2)))


def test_cutting_and_thinning_keep_whole_strokes(sources):
    random = np.random.default_rng(1)
    line = sources.real.train[0]
    for _ in range(20):
        assert 1 <= len(cut(line, random, longest=3)) <= 3
        for stroke, thinned in zip(line.strokes(), thin(line.strokes(), random), strict=True):
            assert len(thinned) in (11, 8)
            assert np.array_equal(thinned[[0, -1]], stroke[[0, -1]])


def test_letters_are_linked_within_a_word_and_dots_are_not():
    one = np.stack([np.linspace(0, 10, 10), np.linspace(0, 5, 10)], axis=1)
    other, dot = one + np.array([11, -1]), np.array([[5.0, -4.0]])
    word = [one, other, dot]
    linked = link(Line([word, word]), np.random.default_rng(0), longest=1)
    assert [len(stroke) for stroke in linked] == [21, 1]


def test_a_word_without_ink_is_not_linked():
    stroke = np.stack([np.linspace(0, 3, 10), np.linspace(0, 1, 10)], axis=1)
    for seed in range(9):
        assert len(link(Line([[], [stroke], []]), np.random.default_rng(seed), longest=1)) == 1


@pytest.mark.parametrize("kind", [*KINDS, *UNSEEN])
def test_junk_can_be_drawn_whatever_line_it_is_made_from(sources, kind):
    make = {**KINDS, **UNSEEN}[kind]
    random = np.random.default_rng(5)
    lines = sources.real.train[0].strokes(), sources.real.train[1].strokes()[:1], [np.zeros((1, 2))]
    for line in lines:
        for other in lines:
            for _ in range(9):
                canvas = penpal_fast.render_strokes(make(random, Material(line, other, other)))
                assert canvas.max() > 0


def test_a_line_goes_on_as_gibberish_for_a_third_of_its_length_or_more(sources):
    line, other = (sources.real.train[number].strokes() for number in (0, 1))
    width = width_of(line)
    for seed in range(30):
        garbled = other[: 1 + seed % 5]  # Shorter than a third of the line.
        spoilt = SPOILT["tail"](np.random.default_rng(seed), Material(line, other, garbled))
        assert 1.25 < width_of(spoilt) / width < 2.5


def test_garbled_lines_are_gibberish_where_lines_say_so(sources):
    line = sources.real.train[0]
    mild, gibberish = (Line(line.words, severity=severity) for severity in ("mild", "gibberish"))
    assert garbled_lines([mild, gibberish]) == [gibberish]
    assert garbled_lines([mild]) == [mild]


def test_examples_depend_on_the_step_alone(sources):
    stage = Stage()
    batch, again = (Examples(sources, stage, 1.5).step(7) for _ in range(2))
    assert len(batch.rows) == len(batch.targets) == len(batch.lengths) == stage.optimization.batch_size
    assert np.array_equal(batch.targets, again.targets)
    assert np.array_equal(batch.lengths, again.lengths, equal_nan=True)
    assert batch.line_width == again.line_width
    assert np.isnan(batch.lengths[batch.targets < 1]).all()
    assert not np.isnan(batch.lengths).all()
    for row, other in zip(batch.rows, again.rows, strict=True):
        assert all(np.array_equal(stroke, stroke_again) for stroke, stroke_again in zip(row, other, strict=True))
    assert set(batch.targets) <= set(TARGETS.values())
    drawn = np.concatenate([Examples(sources, stage, 1.5).step(step).targets for step in range(40)])
    assert (drawn == 1).mean() == pytest.approx(stage.shares.real, abs=0.04)
    assert (drawn == 0.5).mean() == pytest.approx(stage.shares.clean, abs=0.04)


SHARES = {"real": 0.4, "clean": 0.2, "corrupted": 0.4, "junk": 0.0, "outlier": 0.0}
CHANGES = {"real_cut": 0.0, "link": 0.0, "matched": 0.0}
PLAN = {"pictures": 320, "batch_size": 16, "average_decay": 0.9, "checkpoint_steps": 20}
TINY = {
    "stages": [
        {"shares": SHARES, "changes": CHANGES, "optimization": PLAN},
        {"shares": SHARES, "changes": CHANGES, "optimization": {**PLAN, "seed": 2, "level_from": 0.0}},
    ]
}


def test_a_recipe_tunes_what_its_stages_have_learned(files, tmp_path):
    real, clean, corrupted = files
    plan = {**PLAN, "pictures": 32}
    stages = [{"shares": SHARES, "changes": CHANGES, "optimization": plan}]
    variances = []
    for name, tuning in (("plain", {}), ("tuned", {"figures": {"auc_clean_corrupted": 1.0}, "generations": 1})):
        recipe = _recipe(tmp_path, {"stages": stages, "tuning": tuning})
        tasks: list[str] = []
        run_recipe(
            Recipe.from_file(recipe),
            Inputs(real, clean=[clean], corrupted=[corrupted]),
            tmp_path / f"{name} work",
            tmp_path / name,
            progress=lambda task, _done, _total, tasks=tasks: tasks.append(task),
        )
        assert list(dict.fromkeys(tasks)) == ["training", *["tuning"] * bool(tuning), "calibrating", "measuring"]
        tensors = QualityClassifier.from_pretrained(tmp_path / name).tensors()
        variances.append(np.concatenate([value for key, value in tensors.items() if key.endswith("running_var")]))
    assert not np.allclose(*variances)


@pytest.fixture
def tiny(tmp_path):
    path = tmp_path / "recipe.json"
    path.write_text(json.dumps(TINY))
    return path


def train(*arguments):
    return CliRunner().invoke(app, ["train", *map(str, arguments)])


def test_a_tiny_recipe_learns_and_resumes(files, sources, tiny, tmp_path, monkeypatch):
    real, clean, corrupted = files
    arguments = ["--real", real, "--clean", clean, "--corrupted", corrupted, "--work", tmp_path / "work"]
    whole_save, saved = loop.Training.save, []

    def save_once(self, path):
        whole_save(self, path)
        saved.append((self.stage, self.done))
        if len(saved) == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(loop.Training, "save", save_once)
    stopped = train(tiny, *arguments, "-o", tmp_path / "model")
    assert stopped.exit_code == 130
    assert not (tmp_path / "model").exists()
    other = train(tiny, *arguments, "--corrupted", clean, "-o", tmp_path / "model")
    assert other.exit_code == 1
    assert "from other lines to train on, or another network" in other.output.replace("\n", " ")
    generator = save(made_tensors(), tmp_path / "generator.safetensors")
    file = {"name": "lines", "split": "train", "plan": {"rows": 2}}
    (tmp_path / "other.json").write_text(json.dumps({**TINY, "synthesis": [file]}))
    other = train(tmp_path / "other.json", *arguments, "--generator", generator, "-o", tmp_path / "model")
    assert other.exit_code == 1
    assert "it belongs to another recipe; use that recipe, or, to start over, choose" in other.output.replace("\n", " ")
    assert not (tmp_path / "work/lines.parquet").exists()  # It was refused before work.
    finished = train(tiny, *arguments, "-o", tmp_path / "model")
    assert finished.exit_code == 0, finished.output
    assert "checkpoint.safetensors: resumed after step 20 of stage 1" in finished.output.replace("\n", " ")
    assert saved == [(0, 20), (1, 20)]
    entries = [json.loads(line) for line in (tmp_path / "work/training.jsonl").read_text().splitlines()]
    assert [(entry["stage"], entry["step"]) for entry in entries] == [(1, 20), (2, 20)]  # Killed before the first.

    model = QualityClassifier.from_pretrained(tmp_path / "model")
    validation = Validation(sources, Recipe.from_file(tiny))
    figures = validation.measure(model)
    assert set(figures) <= set(FIGURES)
    assert figures["auc_real_corrupted"] > 0.9
    assert 0.4 < figures["auc_clean_corrupted_trained_on"] <= 1
    mx.random.seed(1)
    untrained = QualityClassifier().eval()
    assert figures["auc_real_corrupted"] > validation.measure(untrained)["auc_real_corrupted"]
    assert json.loads((tmp_path / "model/training.json").read_text())["validation"] == pytest.approx(figures, abs=0.02)
    written = sorted(path.name for path in (tmp_path / "model").iterdir())
    assert written == ["config.json", "training.json", "weights.safetensors"]


def test_a_log_outlives_parts_of_lines(tmp_path):
    (tmp_path / "log").write_text('{"step": 1}\n{"st')
    log = Log(tmp_path / "log")
    log.add({"step": 2, "loss": 0.5})
    assert (tmp_path / "log").read_text() == '{"step": 1}\n{"step": 2, "loss": 0.5}\n'
    assert log.has({"step": 2})
    assert not log.has({"step": 3})
    log.clear()
    assert not log.has({"step": 1})


def test_weights_that_are_not_finite_are_not_saved(tmp_path):
    training = loop.Training(Recipe())
    training.model.head.bias = training.model.head.bias * math.nan
    with pytest.raises(PenpalError, match="training diverged"):
        training.save(tmp_path / "checkpoint.safetensors")
    assert not list(tmp_path.iterdir())


def test_a_checkpoint_of_another_recipe_is_refused(tmp_path):
    loop.Training(Recipe()).save(tmp_path / "checkpoint.safetensors")
    other = Recipe.from_file(_recipe(tmp_path, {"stages": [{"optimization": {"seed": 2}}]}))
    with pytest.raises(PenpalError, match="it belongs to another recipe"):
        loop.Training.load(tmp_path / "checkpoint.safetensors", other)


@pytest.mark.parametrize("content", [b"", b"garbage", bytes(200)])
def test_a_damaged_checkpoint_is_named(tmp_path, content):
    (tmp_path / "checkpoint.safetensors").write_bytes(content)
    with pytest.raises(PenpalError, match=r"checkpoint\.safetensors: it is damaged; remove it to start over"):
        loop.Training.load(tmp_path / "checkpoint.safetensors", Recipe())


def test_a_checkpoint_brings_everything_back(tmp_path):
    recipe = Recipe.from_file(
        _recipe(tmp_path, {"stages": [{"optimization": {"pictures": 8, "batch_size": 2, "start_share": 0.25}}]})
    )
    pictures = mx.random.uniform(shape=(2, 256, 256, 1))
    targets = np.array([0.0, 1.0], np.float32)
    one = loop.Training(recipe)
    lengths = np.array([np.nan, 1.0], np.float32)
    first = one.averaged().tensors()
    one.step(pictures, targets, lengths)
    kept, mean = one.averaged().tensors(), QualityClassifier(recipe.network)
    mean.update(one.average)
    for name, values in mean.tensors().items():
        assert np.allclose(kept[name], 0.25 * first[name] + 0.75 * values, atol=1e-6)
    one.slope.price = 0.25
    one.save(tmp_path / "checkpoint.safetensors")
    other = loop.Training.load(tmp_path / "checkpoint.safetensors", recipe)
    assert other.done == 1
    assert other.slope == one.slope
    assert one.step(pictures, targets, lengths) == pytest.approx(other.step(pictures, targets, lengths), abs=1e-6)
    here, there = one.averaged().tensors(), other.averaged().tensors()
    assert all(np.allclose(here[name], there[name], atol=1e-6) for name in here)


def second_stage(folder, settings):
    """Take a step of a first stage and two of a second; return the weights before both, those between, and the second
    stage."""
    plan = {"pictures": 8, "batch_size": 2}
    stages = [{"optimization": plan}, {"optimization": {**plan, **settings}}]
    pictures = mx.random.uniform(shape=(2, 256, 256, 1))
    example = pictures, np.array([0.0, 1.0], np.float32), np.array([np.nan, 1.0], np.float32)
    first = loop.Training(Recipe.from_file(_recipe(folder, {"stages": stages})))
    random = first.averaged().tensors()
    first.step(*example)
    second = first.following()
    for _ in range(2):
        second.step(*example)
    return random, first.averaged().tensors(), second


@pytest.mark.parametrize("keeps_start", [False, True])
def test_a_stage_may_keep_the_weights_that_the_stage_before_began_with(tmp_path, keeps_start):
    random, between, stage = second_stage(tmp_path, {"start_share": 0.6, "keeps_start": keeps_start})
    stage.save(tmp_path / "checkpoint.safetensors")
    mean = QualityClassifier(stage.recipe.network)
    mean.update(stage.average)
    for training in (stage, loop.Training.load(tmp_path / "checkpoint.safetensors", stage.recipe)):
        kept = training.averaged().tensors()
        for name, values in mean.tensors().items():
            first = random[name] if keeps_start else between[name]
            assert np.allclose(kept[name], 0.6 * first + 0.4 * values, atol=1e-6)


def test_fixed_statistics_are_those_that_the_stage_begins_with(tmp_path):
    random, between, stage = second_stage(tmp_path, {"fixed_statistics": True})
    kept = stage.averaged().tensors()
    changed = {name for name, values in between.items() if not np.allclose(kept[name], values, rtol=1e-6, atol=0)}
    assert changed
    assert not any("running" in name for name in changed)
    assert any(not np.allclose(random[name], between[name]) for name in between if "running" in name)


def test_fixed_statistics_need_those_of_one_stage(files, tmp_path):
    real, clean, corrupted = files
    both = {"fixed_statistics": True, "keeps_start": True}
    with pytest.raises(PenpalError, match="keeps_start mixes two; choose one"):
        Recipe.from_file(_recipe(tmp_path, {"stages": [{}, {"optimization": both}]}))
    first = Recipe.from_file(_recipe(tmp_path, {"stages": [{"optimization": {"fixed_statistics": True}}]}))
    inputs = Inputs(real, clean=[clean], corrupted=[corrupted])
    with pytest.raises(PenpalError, match="random weights have none; give a network to start from"):
        run_recipe(first, inputs, tmp_path / "work", tmp_path / "model")


def test_a_finished_training_may_be_tuned_otherwise(tmp_path):
    recipe = Recipe()
    loop.Training(recipe).save(tmp_path / "checkpoint.safetensors")
    search = Tuning({"real_kept": 1.0}, generations=1)
    loop.Training.load(tmp_path / "checkpoint.safetensors", dataclasses.replace(recipe, tuning=search))


def test_the_first_stage_has_no_earlier_weights_to_keep(tmp_path):
    with pytest.raises(PenpalError, match="keeps_start is for the second stage and later ones"):
        Recipe.from_file(_recipe(tmp_path, {"stages": [{"optimization": {"keeps_start": True}}]}))


def test_a_training_that_diverges_stops_and_keeps_its_weights():
    recipe = Recipe()
    training = loop.Training(recipe)
    before = training.model.tensors()
    pictures = mx.full((2, 256, 256, 1), math.nan)
    with pytest.raises(PenpalError, match="diverged after step 0 of stage 1; lower its learning_rate"):
        training.step(pictures, np.array([0.0, 1.0], np.float32), np.full(2, np.nan, np.float32))
    assert training.done == 0
    assert all(
        np.array_equal(values, before[name])
        for name, values in training.model.tensors().items()
        if "running" not in name
    )


def test_junk_is_drawn_by_its_weights(sources, monkeypatch):
    drawn = []
    for kinds in (DRAWN, SPOILT):
        for kind in kinds:
            monkeypatch.setitem(kinds, kind, lambda _random, made, kind=kind: drawn.append(kind) or made.line)
    changes = {"junk_weights": {"spiral": 4.0, "tremor": 3.0}, "spoilt": 0.5}
    shares = {"real": 0, "clean": 0, "corrupted": 0, "junk": 1, "outlier": 0}
    stage = Stage(Shares(**shares), Changes(**changes))
    for step in range(40):
        Examples(sources, stage, 1.5).step(step)
    assert drawn.count("spiral") / len(drawn) == pytest.approx(0.5 * 4 / (4 + len(DRAWN) - 1), abs=0.04)
    assert drawn.count("tremor") / len(drawn) == pytest.approx(0.5 * 3 / (3 + len(SPOILT) - 1), abs=0.04)
    assert drawn.count("coil") / len(drawn) == pytest.approx(0.5 / (4 + len(DRAWN) - 1), abs=0.04)


def test_short_lines_are_drawn_by_their_share(sources, monkeypatch):
    drawn = []

    def spied(way, choose):
        def choose_and_note(self, *arguments):
            line = choose(self, *arguments)
            drawn.append((way, len(line.text) < SHORT))
            return line

        return choose_and_note

    for way in ("any", "like", "short"):
        monkeypatch.setattr(_Pool, way, spied(way, getattr(_Pool, way)))
    shares = Shares(real=0, clean=0.5, corrupted=0.5, junk=0, outlier=0)
    examples = Examples(sources, Stage(shares, Changes(matched=0.3, short=0.5)), 1.5)
    for step in range(10):
        examples.step(step)
    ways = [way for way, _ in drawn]
    assert ways.count("short") / len(ways) == pytest.approx(0.5, abs=0.06)
    assert ways.count("like") / len(ways) == pytest.approx(0.3, abs=0.06)
    assert all(is_short for way, is_short in drawn if way == "short")
    assert not all(is_short for way, is_short in drawn if way == "any")
    with pytest.raises(PenpalError, match="matched, short are at most 1 together"):
        Changes(matched=0.7, short=0.4)


def _recipe(folder, values):
    path = folder / "recipe.json"
    path.write_text(json.dumps(values))
    return path


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"stages": [{"shares": {"real": 0.9}}]}, "must sum to 1"),
        (
            {"stages": [{"optimisation": {}}]},
            r"stages\[0\] has unknown fields \['optimisation'\]; the fields are \['changes'",
        ),
        ({"steps": 3}, r"the recipe has unknown fields \['steps'\]"),
        (
            {"stages": [{"changes": {"wobble": 1}}]},
            r"recipe.json: stages\[0\]: changes has unknown fields \['wobble'\]",
        ),
        ({"stages": []}, r"recipe\.json: stages is empty; give at least one"),
        ({"network": {"batch_norm": False}}, "training needs batch_norm"),
        ({"network": {"channels": [4] * 8}}, "`channels` has 8 entries; a network to train has at most 7"),
        ({"network": {"channels": 8}}, r"recipe\.json: network: channels must be an array, got 8"),
        ({"network": {"channels": [4, "8"]}}, r"network: channels\[1\] must be a whole number, got '8'"),
        ({"stages": [{"changes": {"junk_weights": {"spirals": 2}}}]}, r"junk_weights has unknown fields \['spirals'\]"),
        ({"stages": [{"changes": {"junk_weights": dict.fromkeys(DRAWN, 0)}}]}, "0 for every kind of drawn junk"),
        ({"stages": [{"changes": {"stretch": 1.4}}]}, "stretch must be a number from 2 to 10"),
        ({"stages": [{"changes": {"link": 0.5, "real_cut": 0.6}}]}, "link, follow, real_cut are at most 1 together"),
        ({"stages": [{"changes": {"junk_weights": {"spiral": -1}}}]}, "from 0 to a million"),
        ({"stages": [{"changes": {"longest": 0}}]}, "longest must be a whole number from 1 to 1,000, got 0"),
        ({"stages": [{"changes": {"reshape": -1}}]}, "reshape must be a number from 0 to 1, got -1"),
        (
            {"stages": [{"shares": {"real": -0.5, "clean": 1.5, "corrupted": 0, "junk": 0, "outlier": 0}}]},
            "real must be a number",
        ),
        ({"stages": [{"optimization": {"learning_rate": -0.005}}]}, "learning_rate must be a number"),
        ({"stages": [{"optimization": {"learning_rate": "0.005"}}]}, "learning_rate must be a number .* got '0.005'"),
        ({"stages": [{"optimization": {"learning_rate": math.nan}}]}, "learning_rate must be a number"),
        ({"stages": [{"optimization": {"batch_size": 32.5}}]}, "batch_size must be a whole number from 1 to 1,024"),
        ({"stages": [{"optimization": {"batch_size": 100_000}}]}, "batch_size must be a whole number from 1 to 1,024"),
        ({"stages": [{"optimization": {"checkpoint_steps": 0}}]}, "checkpoint_steps must be a whole number from 1"),
        ({"stages": [{"optimization": {"pictures": True}}]}, "pictures must be a whole number"),
        ({"stages": [{"optimization": {"seed": -1}}]}, "seed must be a whole number from 0"),
        ({"synthesis": [{"name": "../x", "split": "train", "plan": {"rows": 1}}]}, "a name must consist of letters"),
        (
            {"synthesis": [{"name": "x", "split": "test", "plan": {"rows": 1}}]},
            r"synthesis\[0\]: split must be one of \['train', 'validation'\], got 'test'",
        ),
        (
            {"synthesis": [{"name": "x", "split": "train", "plan": {"row": 1}}]},
            r"synthesis\[0\]: plan has unknown fields \['row'\]",
        ),
        ({"synthesis": [{"name": "x", "split": "train"}]}, r"needs \['plan'\]"),
        ({"synthesis": [{"name": "x", "split": "train", "plan": {"rows": 1}}] * 2}, "need different names"),
        ({"clean_kept": [[0.7, 0.1], [0.5, 0.2]]}, "clean_kept must be two pairs"),
        ({"clean_kept": [[0.5, 0.03], [0.7, 0.2]]}, "clean_kept must be two pairs"),
        ({"clean_kept": [[0.5]]}, "clean_kept must be an array of 2"),
        ([], "the recipe must be an object, got list"),
    ],
)
def test_bad_recipes_are_refused(tmp_path, values, message):
    with pytest.raises(PenpalError, match=message):
        Recipe.from_file(_recipe(tmp_path, values))


def test_the_bundled_recipe_reads_and_makes_both_kinds():
    recipe = Recipe.from_file(BUNDLED)
    assert {file.split for file in recipe.synthesis} == {"train", "validation"}
    assert {file.plan.corrupted for file in recipe.synthesis} == {True, False}


def test_a_recipe_makes_its_synthetic_lines(files, tmp_path):
    plans = {"clean": {"rows": 4}, "corrupted": {"rows": 4, "corrupted": True}}
    synthesis = [
        {"name": f"{kind}_{split}", "split": split, "plan": plan}
        for kind, plan in plans.items()
        for split in ("train", "validation")
    ]
    recipe = _recipe(tmp_path, {"synthesis": synthesis, "stages": [{"optimization": {"pictures": 8, "batch_size": 4}}]})
    generator = save(made_tensors(), tmp_path / "generator.safetensors")
    arguments = ["--real", files[0], "--work", tmp_path / "work", "-o", tmp_path / "model"]
    without = train(recipe, *arguments)
    assert "needs a generator" in without.output
    result = train(recipe, *arguments, "--generator", generator, "--resume")  # As earlier versions needed it.
    assert result.exit_code == 0, result.output
    assert pq.read_table(tmp_path / "work/corrupted_train.parquet").num_rows == 4
    for split in ("train", "validation"):
        made = pq.read_table(tmp_path / f"work/clean_{split}.parquet")
        assert all(is_held_out(source) == (split == "validation") for source in made["source"].to_pylist())
    assert penpal_fast.Scorer(tmp_path / "model").score([[[(0, 0), (3, 4)]]]).shape == (1,)


def test_synthetic_lines_of_another_plan_are_not_used(files, tmp_path):
    file = {"name": "lines", "split": "train", "plan": {"rows": 2}}
    recipe = _recipe(tmp_path, {"synthesis": [file]})
    generator = save(made_tensors(), tmp_path / "generator.safetensors")
    arguments = ["--real", files[0], "--work", tmp_path / "work", "-o", tmp_path / "model", "--generator", generator]
    assert "0 to validate on" in train(recipe, *arguments).output.replace("\n", " ")
    assert pq.read_metadata(tmp_path / "work/lines.parquet").num_rows == 2
    other = _recipe(tmp_path, {"synthesis": [{**file, "plan": {"rows": 3}}]})
    refused = train(other, *arguments).output.replace("\n", " ")
    assert "it was made with another plan: use that of the earlier run" in refused


def test_synthetic_lines_of_another_generator_or_other_texts_are_not_used(files, tmp_path):
    recipe = _recipe(tmp_path, {"synthesis": [{"name": "lines", "split": "train", "plan": {"rows": 2}}]})
    generator = save(made_tensors(), tmp_path / "generator.safetensors")
    tensors = made_tensors()
    name = next(iter(tensors))
    other = save({**tensors, name: tensors[name] * 2}, tmp_path / "other.safetensors")
    table = pq.read_table(files[0])
    pq.write_table(table.slice(0, len(table) - 1), tmp_path / "fewer.parquet")

    def said(real, weights):
        arguments = ["--real", real, "--work", tmp_path / "work", "-o", tmp_path / "model", "--generator", weights]
        return train(recipe, *arguments).output.replace("\n", " ")

    assert "0 to validate on" in said(files[0], generator)
    assert "it was made with another generator: use that of the earlier run" in said(files[0], other)
    assert "it was made with another set of texts: use that of" in said(tmp_path / "fewer.parquet", generator)
    made = tmp_path / "work/lines.parquet"
    earlier = pq.read_table(made)
    metadata = {key: value for key, value in earlier.schema.metadata.items() if key != b"penpal_fast.made_from"}
    pq.write_table(earlier.replace_schema_metadata(metadata), made)  # As earlier versions wrote it.
    assert "0 to validate on" in said(files[0], other)


def test_what_would_fail_after_hours_fails_at_once(files, tiny, tmp_path):
    real, clean, corrupted = files
    (tmp_path / "file").write_text("")
    sources = ["--real", real, "--clean", clean, "--corrupted", corrupted]
    taken = train(tiny, *sources, "--work", tmp_path / "work", "-o", tmp_path / "file")
    assert "cannot be used as the model folder" in taken.output.replace("\n", " ")
    taken = train(tiny, *sources, "--work", tmp_path / "file/work", "-o", tmp_path / "model")
    assert "cannot be used as the work folder" in taken.output.replace("\n", " ")
    pq.write_table(pq.read_table(real).drop(["source"]), tmp_path / "nameless.parquet")
    arguments = ["--work", tmp_path / "work", "-o", tmp_path / "model"]
    nameless = train(BUNDLED, "--real", tmp_path / "nameless.parquet", *arguments)
    assert "needs a column" in nameless.output.replace("\n", " ")
    assert not (tmp_path / "work").exists()


def test_calibration_keeps_the_given_shares(sources):
    validation = Validation(sources, Recipe())
    model = QualityClassifier().eval()
    calibrate(model, *validation.calibration(model))
    scores = 1 / (1 + np.exp(-validation.logits(model)["clean"]))
    for score, share in Recipe().clean_kept:
        assert (scores >= score).mean() == pytest.approx(share, abs=1.01 / len(scores))


def test_calibration_is_a_map_of_the_logits():
    model = QualityClassifier().eval()
    pictures = mx.random.uniform(shape=(2, 256, 256, 1))
    before = np.array(model(pictures))
    calibrate(model, 3.0, -0.5)
    assert np.allclose(np.array(model(pictures)), 3 * before - 0.5, atol=1e-4)
    assert math.isfinite(before[0])
