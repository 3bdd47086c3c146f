"""Which lines are held out, and what a training run says and writes at its end."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from helpers.commands import run
from helpers.made_lines import scrawl
from penpal_fast import PenpalError, QualityClassifier
from penpal_fast.evaluation import sets
from penpal_fast.evaluation.held_out import prefix_of_models
from penpal_fast.handwriting.lines import VALIDATION_PERCENT, is_held_out, read_lines, read_split
from penpal_fast.network.pretrained import BUNDLED
from penpal_fast.schema import STROKES
from penpal_fast.training import loop
from penpal_fast.training import recipe as quality_recipe
from penpal_fast.training import run as training_run
from penpal_fast.training.measurement import Validation
from penpal_fast.training.reader.recipe import BUNDLED as READER
from penpal_fast.training.reader.recipe import ReaderRecipe
from penpal_fast.training.recipe import Recipe

WRITERS = [f"writer_{letter}{number:02}" for letter in "abc" for number in range(1, 44)][:127]
FORMS = [f"{chr(97 + number % 26)}{number // 26:02}" for number in range(520)]


def write_lines(path, sources, points=12):
    rows = [
        [[{"points": [{"x": x, "y": y} for x, y in stroke]}] for stroke in scrawl(points + row, 4, points)]
        for row in range(len(sources))
    ]
    texts = ["abc " * (1 + row % 7) for row in range(len(sources))]
    pq.write_table(pa.table({"strokes": pa.array(rows, STROKES), "text": texts, "source": sources}), path)
    return path


@pytest.mark.parametrize(
    "sources",
    [
        WRITERS,
        [f"{form}-{line:03}" for form in FORMS[:60] for line in range(4)],
        [f"a01-{line}" for line in range(200)],
        [str(number) for number in range(1000)],
        [f"set/{number:05}.json" for number in range(200)],
    ],
    ids=["writers", "forms", "lines", "numbers", "files"],
)
def test_the_whole_source_decides(sources):
    share = np.mean([is_held_out(source) for source in sources])
    assert VALIDATION_PERCENT / 200 < share < VALIDATION_PERCENT / 50


def test_a_prefix_keeps_sources_together():
    for form in FORMS[:100]:
        assert len({is_held_out(f"{form}-{line}", 3) for line in range(50)}) == 1
    assert len({is_held_out(f"a01-{line}") for line in range(50)}) == 2
    assert np.mean([is_held_out(f"{form}-1", 3) for form in FORMS]) == pytest.approx(VALIDATION_PERCENT / 100, abs=0.04)
    assert not any(is_held_out(name, 3) for name in WRITERS) or all(is_held_out(name, 3) for name in WRITERS)


def test_no_source_is_on_both_sides(tmp_path):
    lines = write_lines(tmp_path / "lines.parquet", WRITERS * 2)
    split = read_split(lines)
    train, validation = ({line.source for line in side} for side in (split.train, split.validation))
    assert train | validation == set(WRITERS)
    assert not train & validation
    assert 8 <= len(validation) <= 30


def test_lines_that_cannot_be_drawn_are_counted_and_texts_need_not_be_utf_8(tmp_path, caplog):
    path = write_lines(tmp_path / "lines.parquet", ["a", "b", "c", "d", "e", "f"])
    table = pq.read_table(path)
    rows = table["strokes"].to_pylist()
    rows[1], rows[3][0][0]["points"][0]["x"], rows[4][0][0]["points"][0]["x"] = None, float("nan"), -1e160
    rows[5] = [[{"points": [{"x": 1.7e308, "y": 1.7e308}]}]]
    texts = pa.array([b"one", b"two", b"\xff three", b"four", b"five", b"six"]).view(pa.string())
    table = pa.table({"strokes": pa.array(rows, STROKES), "text": texts, "source": table["source"]})
    pq.write_table(table, path)
    lines = read_lines(path)
    assert [(line.source, line.text) for line in lines] == [("a", "one"), ("c", "\ufffd three")]
    assert (
        "lines.parquet: 4 of its 6 rows have no points, a bad one or a huge coordinate; they are left out"
        in caplog.text
    )


@pytest.mark.parametrize("prefix", [0, -1, True, 2.5, "3"])
def test_a_prefix_is_a_number_of_characters(tmp_path, prefix):
    (tmp_path / "recipe.json").write_text(json.dumps({"source_prefix": prefix}))
    for kind in (Recipe, ReaderRecipe):
        with pytest.raises(
            PenpalError, match="source_prefix must be a whole number of characters, at least 1, or null"
        ):
            kind.from_file(tmp_path / "recipe.json")


def test_the_bundled_recipes_split_by_three_characters():
    assert Recipe.from_file(quality_recipe.BUNDLED).source_prefix == 3
    assert ReaderRecipe.from_file(READER).source_prefix == 3
    assert Recipe().source_prefix is None
    assert ReaderRecipe().source_prefix is None


def test_a_checkpoint_without_a_prefix_had_three_characters(tmp_path, monkeypatch):
    recipe = Recipe.from_dict({"source_prefix": 3})

    def text_of_an_earlier_version(recipe):
        values = {key: value for key, value in recipe.to_dict().items() if key != "source_prefix"}
        del values["stages"][0]["changes"]["short"]
        return json.dumps(values)

    with monkeypatch.context() as patched:
        patched.setattr(loop, "_recipe_text", text_of_an_earlier_version)
        loop.Training(recipe).save(tmp_path / "checkpoint.safetensors")
    assert loop.Training.load(tmp_path / "checkpoint.safetensors", recipe).done == 0
    with pytest.raises(PenpalError, match="it belongs to another recipe"):
        loop.Training.load(tmp_path / "checkpoint.safetensors", Recipe())


def test_models_say_what_they_hold_out(tmp_path):
    def folder(name, content):
        (tmp_path / name).mkdir()
        if content is not None:
            (tmp_path / name / "training.json").write_text(content)
        return str(tmp_path / name)

    early = folder("early", json.dumps({"recipe": {}, "validation": {}}))
    whole = folder("whole", json.dumps({"recipe": {"source_prefix": None}}))
    reader = folder("reader", json.dumps({"source_prefix": 7, "rows": 3}))
    without = folder("without", None)
    assert prefix_of_models(None, None) == prefix_of_models(str(BUNDLED), None) == 3
    assert prefix_of_models(early, None) == 3
    assert prefix_of_models(whole, None) is None
    assert prefix_of_models(None, reader) == prefix_of_models(without, reader) == 7
    assert prefix_of_models(without, None) == 3
    with pytest.raises(PenpalError, match=r"the model holds lines out by the whole source, the reader by the first 7 "):
        prefix_of_models(whole, reader)
    with pytest.raises(PenpalError, match=r"training\.json: cannot read the recipe: source_prefix is 0"):
        prefix_of_models(folder("broken", '{"recipe": {"source_prefix": 0}}'), None)


def test_evaluate_says_how_many_rows_are_held_out(example_file, reader_folder, tmp_path, monkeypatch):
    def measured(real, clean, corrupted, **_settings):
        given = {"real": real, "clean": clean, "corrupted": corrupted}
        assert {name: len(lines) for name, lines in given.items()} == {name: held for name, (held, _) in counts.items()}
        raise PenpalError("the sets are right")

    monkeypatch.setattr(sets, "scored_sets", measured)
    table = pq.read_table(example_file)
    names = pa.array([WRITERS[row % len(WRITERS)] for row in range(table.num_rows)])
    clean = pc.is_null(table["corruption"])
    table = table.append_column("source", names)
    arguments, counts = [], {}
    for name, chosen in {"real": clean, "clean": clean, "corrupted": pc.invert(clean)}.items():
        rows = table.filter(chosen)
        pq.write_table(rows, tmp_path / f"{name}.parquet")
        arguments += [f"--{name}", tmp_path / f"{name}.parquet"]
        counts[name] = (sum(map(is_held_out, rows["source"].to_pylist())), rows.num_rows)
    arguments += ["--reader", reader_folder]
    refused = run("evaluate", *arguments, "--held-out")
    assert refused.exit_code == 1
    assert "held out by the first 3 characters of the source" in refused.output.replace("\n", " ")
    done = run("evaluate", *arguments, "--held-out", "--source-prefix", "0")
    assert "the sets are right" in done.output
    assert "held out by the whole source:" in done.output
    for name, (held_out, rows) in counts.items():
        assert 0 < held_out < rows
        assert f"  {name}: {held_out:,} of {rows:,} rows" in done.output
    alone = run("evaluate", *arguments, "--source-prefix", "3")
    assert "--source-prefix is for --held-out" in alone.output


SHARES = {"real": 0.4, "clean": 0.2, "corrupted": 0.4, "junk": 0.0, "outlier": 0.0}
OPTIMIZATION = {"pictures": 32, "batch_size": 8, "average_decay": 0.9, "checkpoint_steps": 2}
TINY = {"stages": [{"shares": SHARES, "changes": {"matched": 0.0}, "optimization": OPTIMIZATION}]}


@pytest.fixture
def arguments(tmp_path):
    (tmp_path / "recipe.json").write_text(json.dumps(TINY))
    found = ["train", tmp_path / "recipe.json", "--work", tmp_path / "work", "-o", tmp_path / "model"]
    for name, points in {"real": 20, "clean": 12, "corrupted": 3}.items():
        found += [f"--{name}", write_lines(tmp_path / f"{name}.parquet", WRITERS, points)]
    return found


def test_a_model_is_written_before_it_is_measured(arguments, tmp_path, monkeypatch):
    steps = []

    def measured(_self, _model):
        steps.append("measured" if (tmp_path / "model/weights.safetensors").exists() else "a checkpoint")
        if steps[-1] == "measured":
            assert json.loads((tmp_path / "model/training.json").read_text())["recipe"]["source_prefix"] is None
            QualityClassifier.from_pretrained(tmp_path / "model")
        else:
            assert (tmp_path / "work" / loop.CHECKPOINT).exists()
        return {"auc_real_corrupted": 0.75, "corrupted_kept": 0.125}

    monkeypatch.setattr(Validation, "measure", measured)
    monkeypatch.setattr(Validation, "calibration", lambda _self, _model: (2.0, 0.5))
    shown = []
    whole = training_run.run_recipe

    def watched(*given, progress, **settings):
        return whole(*given, progress=lambda *at: (shown.append(at), progress(*at)), **settings)

    monkeypatch.setattr(training_run, "run_recipe", watched)
    done = run(*arguments)
    assert done.exit_code == 0, done.output
    assert steps == ["a checkpoint", "a checkpoint", "measured"]
    assert "| auc real corrupted | 0.750 |\n| corrupted kept | 0.125 |" in done.output
    assert done.output.splitlines()[-1].startswith("wrote ")
    tasks = list(dict.fromkeys(what for what, _, _ in shown))
    assert tasks == ["training", "calibrating", "measuring"]
    assert all((what, total, total) in shown for what, _, total in shown)
    written = json.loads((tmp_path / "model/training.json").read_text())
    assert written["validation"] == {"auc_real_corrupted": 0.75, "corrupted_kept": 0.125}


def test_a_prefix_that_leaves_one_source_is_explained(arguments, tmp_path):
    (tmp_path / "recipe.json").write_text(json.dumps({**TINY, "source_prefix": 3}))
    refused = run(*arguments).output.replace("\n", " ")
    assert "source_prefix lets the first 3 characters of the source decide the side, of which there are 1" in refused
