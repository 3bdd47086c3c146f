"""A small training: it learns, goes on where it was killed, and leaves out what does not say its text."""

from __future__ import annotations

import dataclasses
import itertools
import json
import math
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from helpers import made_generator
from penpal_fast.errors import PenpalError, UsageError
from penpal_fast.evaluation import sets
from penpal_fast.evaluation.figures import area_under_curve
from penpal_fast.handwriting.lines import Line, is_held_out
from penpal_fast.reading.config import ReaderConfig
from penpal_fast.reading.model import ReaderNetwork
from penpal_fast.reading.scores import match, readability
from penpal_fast.reading.weights import load
from penpal_fast.synthesis.plan import Plan
from penpal_fast.synthesis.table import strokes_array
from penpal_fast.synthesis.texts import LONG_LINE
from penpal_fast.training.reader.augmentation import Changes, changed
from penpal_fast.training.reader.examples import Example
from penpal_fast.training.reader.made_lines import make_lines
from penpal_fast.training.reader.recipe import BUNDLED, Changed, ReaderRecipe, Shares, Stage
from penpal_fast.training.reader.texts import KINDS, draw_text
from penpal_fast.training.reader.wrong_codes import with_mistake
from penpal_fast.training.synthetic_lines import SyntheticFile

torch = pytest.importorskip("torch")
torch.set_num_threads(1)

from penpal_fast.reading.ctc import best_path  # noqa: E402
from penpal_fast.synthesis.texts import Text  # noqa: E402
from penpal_fast.training.reader.calibration import Read, calibrated, read  # noqa: E402
from penpal_fast.training.reader.loop import Lines, LoopState, Training  # noqa: E402
from penpal_fast.training.reader.network import folded  # noqa: E402
from penpal_fast.training.reader.run import Inputs, train_reader  # noqa: E402
from penpal_fast.training.reader.start import Start  # noqa: E402

LETTERS = "lov"
SOURCES = [f"form {number}" for number in range(100)]
RECIPE = ReaderRecipe(
    network=ReaderConfig(letters=LETTERS, stem_channels=(8, 16), dilations=(1, 2)),
    stages=(Stage(rows=4000, learning_rate=2e-2, warmup_steps=5),),
    round_rows=1000,
    batch_samples=3000,
    average_decay=0.9,
    unreadable_loss=3.0,
)


def shape(letter: str, x: float) -> np.ndarray:
    """A stroke, a ring or a wedge."""
    if letter == "l":
        return np.array([[x, -1.0 + step / 10] for step in range(21)])
    if letter == "v":
        return np.array([[x + step / 20, 1 - abs(step / 10 - 1) * 2] for step in range(21)])
    turn = np.linspace(0, 2 * math.pi, 21)
    return np.stack([x + 0.5 - 0.5 * np.cos(turn), np.sin(turn)], axis=1)


def example(text: str, written: str | None = None) -> Example:
    strokes = [shape(letter, 1.6 * place) for place, letter in enumerate(written or text)]
    made = Example.of(Line([strokes], text), LETTERS)
    assert made is not None
    return made


def drawn(count: int, seed: int) -> list[Example]:
    random = np.random.default_rng(seed)
    return [example("".join(random.choice(list(LETTERS), int(random.integers(2, 7))))) for _ in range(count)]


def test_it_learns_and_leaves_out_what_is_wrong() -> None:
    wrong = [example("lllvv", "oovo"), example("vovov", "llll")]
    training = Training(RECIPE, Lines(drawn(60, 1), [*drawn(30, 2), *wrong]))
    losses = []
    network = training.run(lambda progress: losses.append(progress.real_loss))
    assert losses[-1] < 0.5
    assert sorted(np.argsort(training.losses)[-2:].tolist()) == [90, 91]
    assert training.left_out >= 1
    assert all(training.losses[:90] < RECIPE.unreadable_loss)
    right = 0
    for one in drawn(20, 3):
        path = torch.from_numpy(one.path())[None]
        log_probabilities, _ = network(path, torch.tensor([path.shape[1]]))
        right += best_path(log_probabilities[0].detach().numpy()) == list(one.codes)
    assert right >= 18


STAGES = (
    Stage(rows=200, learning_rate=2e-2, warmup_steps=5),
    Stage(
        rows=200,
        shares=Shares(0.5, 0, 0.2, 0.3),
        doubt_weight=1,
        wrong_texts=0.2,
        learning_rate=2e-2,
        warmup_steps=5,
    ),
)


@pytest.mark.parametrize("seen", [100, 300])
def test_a_killed_training_goes_on(tmp_path, seen) -> None:
    lines = Lines(drawn(40, 1), clean=drawn(10, 2), corrupted=scribbled(10, 3))
    whole = Training(dataclasses.replace(RECIPE, stages=STAGES, round_rows=100), lines)

    def save(progress: LoopState) -> None:
        if 200 * (progress.stage - 1) + progress.rows <= seen + 50:
            whole.save(tmp_path / "checkpoint.pt")

    whole.run(save)
    again = Training(whole.recipe, lines)
    again.load(tmp_path / "checkpoint.pt")
    assert (again.stage, again.rows // 100) == divmod(seen // 100, 2)
    again.run()
    for name, values in folded(whole.averaged()).items():
        np.testing.assert_allclose(folded(again.averaged())[name], values, atol=1e-5)


def finished(network: ReaderConfig, seed: int) -> Start:
    """A reader after a short training, with batch norm folded into its layers."""
    recipe = dataclasses.replace(RECIPE, network=network, stages=(Stage(rows=200, learning_rate=2e-2, warmup_steps=5),))
    trained = Training(recipe, Lines(drawn(40, seed))).run()
    return Start(network, {name: np.float32(values) for name, values in folded(trained).items()})


def test_a_training_starts_from_a_finished_reader_as_it_is() -> None:
    start = finished(RECIPE.network, 1)
    training = Training(RECIPE, Lines(drawn(60, 2)), start=start)
    again = folded(training.averaged())
    for name, values in start.tensors.items():
        np.testing.assert_allclose(again[name], values, atol=1e-5)
    # While it learns, batch norm takes the statistics of each batch.
    path = torch.from_numpy(np.stack([drawn(1, 2)[0].path()] * 2))
    samples = torch.tensor([path.shape[1]] * 2)
    with torch.no_grad():
        usual, _ = training.averaged()(path, samples)
        deviation = (training.network.train()(path, samples)[0].exp() - usual.exp()).abs().mean()
    assert deviation < 0.1
    first = {name: value.clone() for name, value in training.average.items()}
    training.run()
    assert any(not torch.equal(first[name], value) for name, value in training.average.items())


def test_a_checkpoint_of_another_start_is_refused(tmp_path) -> None:
    lines, start = Lines(drawn(40, 1)), finished(RECIPE.network, 1)
    Training(RECIPE, lines, start=start).save(tmp_path / "checkpoint.pt")
    Training(RECIPE, lines, start=start).load(tmp_path / "checkpoint.pt")
    for other in (Training(RECIPE, lines), Training(RECIPE, lines, start=finished(RECIPE.network, 3))):
        with pytest.raises(PenpalError, match=r"checkpoint\.pt: it began with another reader \(--start\)"):
            other.load(tmp_path / "checkpoint.pt")
    Training(RECIPE, lines).save(tmp_path / "random.pt")
    with pytest.raises(PenpalError, match=r"random\.pt: .* or with random weights; give the same"):
        Training(RECIPE, lines, start=start).load(tmp_path / "random.pt")


def test_a_reader_of_another_architecture_is_no_start() -> None:
    start = finished(dataclasses.replace(RECIPE.network, dilations=(1, 1)), 1)
    with pytest.raises(PenpalError, match=r"the reader to start from has dilations \(1, 1\), the recipe \(1, 2\)"):
        Training(RECIPE, Lines(drawn(20, 1)), start=start)
    calibrated_reader = dataclasses.replace(RECIPE.network, match_half=0.5)
    Training(
        RECIPE, Lines(drawn(20, 1)), start=dataclasses.replace(finished(RECIPE.network, 1), config=calibrated_reader)
    )


def test_a_stage_keeps_a_share_of_its_first_weights() -> None:
    lines = Lines(drawn(20, 1))
    reading = Stage(rows=200, learning_rate=2e-2, warmup_steps=5)
    first, whole, half = (
        folded(Training(dataclasses.replace(RECIPE, stages=stages), lines).run())
        for stages in (
            (reading,),
            (reading, dataclasses.replace(reading, start_share=1.0)),
            (reading, dataclasses.replace(reading, start_share=0.5)),
        )
    )
    np.testing.assert_array_equal(whole["head.weight"], first["head.weight"])
    assert np.abs(half["head.weight"] - first["head.weight"]).max() > 1e-3


def test_a_checkpoint_of_another_recipe_is_refused(tmp_path) -> None:
    lines = Lines(drawn(4, 1))
    Training(RECIPE, lines).save(tmp_path / "checkpoint.pt")
    with pytest.raises(PenpalError, match=r"checkpoint\.pt: it belongs to another recipe, or to an earlier version"):
        Training(dataclasses.replace(RECIPE, seed=6), lines).load(tmp_path / "checkpoint.pt")


@pytest.mark.parametrize("others", [Lines(drawn(5, 1)), Lines(drawn(4, 2))], ids=["more", "others"])
def test_a_checkpoint_of_other_lines_is_refused(tmp_path, others) -> None:
    path = tmp_path / "checkpoint.pt"
    Training(RECIPE, Lines(drawn(4, 1))).save(path)
    with pytest.raises(PenpalError, match=r"checkpoint\.pt: it was made from other lines to learn from; give those"):
        Training(RECIPE, others).load(path)
    Training(RECIPE, Lines(drawn(4, 1))).load(path)


def test_a_checkpoint_of_an_earlier_version_is_resumed(tmp_path) -> None:
    path, lines = tmp_path / "checkpoint.pt", Lines(drawn(4, 1))
    Training(RECIPE, lines).save(path)
    state = torch.load(path, weights_only=True)
    del state["lines"]
    torch.save(state, path)
    Training(RECIPE, lines).load(path)


def test_a_stage_without_lines_is_refused() -> None:
    made = dataclasses.replace(RECIPE, stages=(Stage(rows=100, shares=Shares(0, 1)),))
    for lines in (Lines(), Lines(drawn(4, 1))):
        with pytest.raises(PenpalError, match="stage 1: there are no lines of"):
            Training(made, lines)
    stage = Stage(rows=100, shares=Shares(0.5, 0, 0, 0.5), severity_weights={"mild": 0})
    recipe = dataclasses.replace(RECIPE, synthesis=(CORRUPTED,), stages=(stage,))
    with pytest.raises(PenpalError, match="stage 1: severity_weights leaves no corrupted line"):
        Training(recipe, Lines(drawn(4, 1), corrupted=scribbled(4, 2)))


CORRUPTED = SyntheticFile("corrupted", "train", Plan(rows=1, corrupted=True))


def test_a_training_that_diverges_says_so() -> None:
    training = Training(RECIPE, Lines(drawn(4, 1)))
    with torch.no_grad():
        training.network.head.bias[0] = math.nan
    with pytest.raises(PenpalError, match="diverged after 0 rows of stage 1; lower its learning_rate"):
        training.run()


def test_a_path_has_room_for_doubled_letters() -> None:
    training = Training(RECIPE, Lines([example("lolo", "l"), example("llll", "lll"), example("lvlo")]))
    frames = {row: RECIPE.network.frames(len(one.path())) for row, one in enumerate(training.examples)}
    assert 4 <= frames[1] < 7 <= frames[2]
    changes = Changes(**{field.name: 0.0 for field in dataclasses.fields(Changes)})
    training.recipe = dataclasses.replace(RECIPE, changes=changes)
    assert {row for batch in training._round() for row in batch.rows.tolist()} <= {0, 2}


def scribbled(count: int, seed: int) -> list[Example]:
    """Lines that say their text, with strokes of which every second is bent."""
    random = np.random.default_rng(seed)
    made = []
    for one in drawn(count, seed):
        points = one.points + np.where(one.stroke[:, None] % 2, random.normal(0, 0.1, one.points.shape), 0)
        made.append(dataclasses.replace(one, points=points.astype(np.float32), severity="mild"))
    return made


def test_a_later_stage_learns_to_doubt_corrupted_lines() -> None:
    lines = Lines(drawn(60, 31), clean=drawn(60, 32), corrupted=scribbled(60, 33))
    reading = Stage(rows=3000, learning_rate=2e-2, warmup_steps=5)
    doubting = dataclasses.replace(
        reading, rows=2000, shares=Shares(0.4, 0, 0.3, 0.3), doubt_weight=1, changed=Changed(*[(0.0, 0.0)] * 4)
    )
    areas = []
    for stages in ((reading,), (reading, doubting)):
        network = Training(dataclasses.replace(RECIPE, stages=stages), lines).run()
        clean, corrupted = (read(network, examples) for examples in (drawn(80, 4), scribbled(80, 5)))
        areas.append(
            [
                area_under_curve(-clean.text_doubts(RECIPE.network), -corrupted.text_doubts(RECIPE.network)),
                area_under_curve(-clean.reading_doubts(), -corrupted.reading_doubts()),
            ]
        )
    before, after = areas
    assert min(after) > 0.95
    assert all(later > earlier for earlier, later in zip(before, after, strict=True))


def test_a_later_stage_learns_to_doubt_wrong_texts() -> None:
    lines = Lines(drawn(60, 1), clean=drawn(60, 2))
    reading = Stage(rows=1500, learning_rate=1e-2, warmup_steps=5)
    doubting = Stage(
        rows=2000, shares=Shares(0.5, 0, 0.5, 0), doubt_weight=1, wrong_texts=0.4, learning_rate=2e-2, warmup_steps=5
    )
    random, areas = np.random.default_rng(6), []
    right = drawn(150, 4)
    wrong = [
        dataclasses.replace(one, codes=with_mistake(one.codes, range(1, len(LETTERS) + 1), random)) for one in right
    ]
    for stages in ((reading,), (reading, doubting)):
        training = Training(dataclasses.replace(RECIPE, stages=stages), lines)
        network = training.run()
        own, others = (read(network, examples).text_doubts(RECIPE.network) for examples in (right, wrong))
        areas.append(area_under_curve(-own, -others))
        # A wrong text says nothing about its line.
        assert np.nanmax(training.losses) < RECIPE.unreadable_loss
    assert areas[1] > max(areas[0], 0.95)


def test_a_mistake_changes_the_text() -> None:
    random = np.random.default_rng(7)
    codes = (1, 1, 2, 3, 3, 1)
    made = [with_mistake(codes, [1, 2, 3], random) for _ in range(300)]
    assert codes not in made
    assert {len(one) for one in made} == {5, 6, 7}
    assert {tuple(sorted(one)) == tuple(sorted(codes)) for one in made} == {True, False}
    assert {with_mistake((1, 1), [1, 2], random) for _ in range(100)} == {
        (1,),
        (1, 1, 1),
        (1, 2),
        (2, 1),
        (1, 2, 1),
        (1, 1, 2),
    }


def test_changed_rows_keep_their_strokes_apart() -> None:
    random = np.random.default_rng(1)
    one = example("lovlov")
    every = Changes(**{field.name: 1.0 for field in dataclasses.fields(Changes)})
    for changes in (Changes(), every, dataclasses.replace(every, join=0.0, lift=0.0, thin=0.0)):
        for _ in range(20):
            points, stroke = changed(one.points.astype(float), one.stroke.astype(np.int64), changes, random)
            assert points.shape == (len(stroke), 2)
            assert np.isfinite(points).all()
            assert set(np.diff(stroke).tolist()) <= {0, 1}
            if changes.join == changes.lift == changes.thin == 0:
                assert len(points) == len(one.points)
                assert sorted(np.bincount(stroke)) == sorted(np.bincount(one.stroke))


def test_texts_are_of_every_kind_and_short_enough() -> None:
    texts = [Text(("some", "plain", "words", "of", "a", "letter"), "a01"), Text(("Dear", "Sir,"), "b02")]
    random = np.random.default_rng(2)
    for kind in KINDS:
        assert all(kind(texts, random).strip() for _ in range(20))
    many = [draw_text(texts, random) for _ in range(500)]
    assert max(map(len, many)) <= LONG_LINE[1]
    assert any(text.isupper() for text in many)
    assert any(letter.isdigit() for text in many for letter in text)


def test_the_bundled_recipe_is_read(tmp_path) -> None:
    recipe = ReaderRecipe.from_file(BUNDLED)
    (tmp_path / "recipe.json").write_text(recipe.to_json())
    assert ReaderRecipe.from_file(tmp_path / "recipe.json") == recipe


PLAN = {"rows": 1, "corrupted": True}
SEVERITY = {"share": 1, "kappa_scale": [1, 1], "beta_floor": [1, 1], "noise": [0, 0]}


def synthesis(**plan):
    return {"synthesis": [{"name": "x", "split": "train", "plan": {**PLAN, **plan}}]}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], "the recipe must be an object, got list"),
        ({"row": 1}, r"the recipe has unknown fields \['row'\]"),
        ({"stages": []}, "stages is empty"),
        ({"stages": {}}, "stages must be an array, got {}"),
        ({"stages": 1}, "stages must be an array, got 1"),
        ({"stages": [[]]}, r"stages\[0\] must be an object, got list"),
        ({"stages": [{"rows": 0}]}, "rows must be a whole number from 1"),
        ({"stages": [{"rows": "1"}]}, "rows must be a whole number from 1"),
        ({"stages": [{"shares": []}]}, r"stages\[0\]: shares must be an object, got list"),
        ({"stages": [{"shares": {"real": 2}}]}, "real must be a number from 0 to 1, got 2"),
        ({"stages": [{"severity_weights": {"mild": -1}}]}, "severity_weights must be from 0 to 1,000, mild has -1"),
        ({"stages": [{"severity_weights": {"mild": True}}]}, "severity_weights: mild must be a number, got True"),
        ({"stages": [{"severity_weights": {"mild": math.nan}}]}, "severity_weights: mild must be a number, got nan"),
        ({"stages": [{"severity_weights": [1]}]}, r"severity_weights must be an object, got \[1\]"),
        ({"stages": [{"severity_weights": {"faint": 2}}]}, r"severity_weights names \['faint'\], which no file"),
        ({"stages": [{"wrong_texts": 0.1}]}, "wrong_texts is 0.1, but doubt_weight is 0"),
        ({"stages": [{"changed": []}]}, "changed must be an object, got list"),
        ({"stages": [{"changed": {"real": 1}}]}, "changed: real must be an array of 2, got 1"),
        ({"stages": [{"changed": {"real": [1]}}]}, "changed: real must be an array of 2"),
        ({"stages": [{"changed": {"real": [1, 2]}}]}, "changed: real must have two numbers from 0 to 1"),
        ({"stages": [{"changed": {"real": [1, None]}}]}, r"changed: real\[1\] must be a number, got None"),
        ({"network": {"letters": ""}}, "letters must be 1 to"),
        ({"network": {"letters": 5}}, "network: letters must be a text, got 5"),
        ({"network": {"dilations": [1.5]}}, r"network: dilations\[0\] must be a whole number, got 1\.5"),
        ({"network": {"half_letters": "10"}}, "network: half_letters must be a number, got '10'"),
        ({"network": []}, "network must be an object, got list"),
        ({"changes": {"slant": "0.2"}}, "slant must be a number from 0 to 2, got '0.2'"),
        ({"changes": {"noise": math.inf}}, "noise must be a number from 0 to 1, got inf"),
        ({"changes": {"turn": 10**400}}, "turn must be a number from 0 to 1, got 1000"),
        ({"changes": 3}, "changes must be an object, got int"),
        ({"synthesis": "all"}, "synthesis must be an array, got 'all'"),
        ({"synthesis": [{"name": "x", "split": "validation", "plan": PLAN}]}, "of the split train, not so"),
        ({"synthesis": [{"name": "x", "split": [], "plan": PLAN}]}, r"synthesis\[0\]: split must be one of"),
        ({"synthesis": [{"name": 1, "split": "train", "plan": PLAN}]}, r"name must be a text, got 1"),
        (synthesis(rows="1"), "plan: rows must be a whole number, got '1'"),
        (synthesis(rows=1.5), "plan: rows must be a whole number, got 1.5"),
        (synthesis(corrupted="no"), "plan: corrupted must be true or false, got 'no'"),
        (synthesis(bias=[0.5]), r"plan: bias must be an array of 2, got \[0.5\]"),
        (synthesis(bias=[0, 10**400]), r"plan: bias\[1\] must be a number, got 1000"),
        (
            synthesis(severities={"mild": {}}),
            r"severities: mild needs \['share', 'kappa_scale', 'beta_floor', 'noise'\]",
        ),
        (synthesis(severities={"mild": {**SEVERITY, "noise": 0}}), "mild: noise must be an array of 2, got 0"),
        (
            synthesis(severities={"mild": {**SEVERITY, "onset": [0, 2]}}),
            "onset of a severity must be a range from 0 to 1",
        ),
    ],
)
def test_a_bad_recipe_is_refused_by_its_field(tmp_path, content, message) -> None:
    (tmp_path / "recipe.json").write_text(json.dumps(content))
    with pytest.raises(PenpalError, match=rf"recipe\.json: .*{message}"):
        ReaderRecipe.from_file(tmp_path / "recipe.json")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "cannot read the recipe"),
        ("[" * 100_000, "cannot read the recipe"),
        ('{"changes": ' + '{"slant":' * 100_000, "cannot read the recipe"),
        (f'{{"seed": {"1" * 5000}}}', "cannot read the recipe"),
        (" " * (1 << 20) + "{}", "larger than 1,048,576 bytes"),
    ],
)
def test_hostile_text_is_not_a_recipe(tmp_path, content, message) -> None:
    (tmp_path / "recipe.json").write_text(content)
    with pytest.raises(PenpalError, match=message):
        ReaderRecipe.from_file(tmp_path / "recipe.json")


def save_lines(path, texts, sources, severities=None) -> None:
    rows = [[[shape(letter, 1.6 * place) for place, letter in enumerate(text)]] for text in texts]
    columns = {"strokes": strokes_array(rows), "text": texts, "source": sources}
    pq.write_table(pa.table({**columns, "corruption": severities or [None] * len(texts)}), path)


def test_the_recipe_ends_with_a_reader_and_its_figures(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(sets, "JUNK_ROWS", 2)
    texts = [one.text for one in drawn(40, 5)]
    learned, held_out = (next(name for name in SOURCES if is_held_out(name) == side) for side in (False, True))
    save_lines(tmp_path / "real.parquet", texts, [learned] * 30 + [held_out] * 10)
    save_lines(tmp_path / "clean.parquet", texts[::-1], ["a"] * 40)
    scribbled = [text[::-1] for text in texts]
    save_lines(tmp_path / "corrupted.parquet", scribbled, ["a"] * 40, ["mild", "gibberish"] * 20)
    writable = {"alphabet": json.dumps(["\0", *"lovabcde "]), "primers": json.dumps(["lo", "v"])}
    generator = made_generator.save(made_generator.made_tensors(), tmp_path / "generator.safetensors", **writable)
    inputs = Inputs(tmp_path / "real.parquet", generator, tmp_path / "clean.parquet", tmp_path / "corrupted.parquet")
    plan = Plan(rows=3, seed=2, bias=(0.5, 0.5))
    files = [
        SyntheticFile(kind, "train", dataclasses.replace(plan, corrupted=kind == "corrupted"))
        for kind in ("clean", "corrupted")
    ]
    doubting = Stage(rows=500, shares=Shares(0.4, 0, 0.3, 0.3), doubt_weight=0.3, warmup_steps=5)
    stages = (dataclasses.replace(RECIPE.stages[0], rows=1000), doubting)
    recipe = dataclasses.replace(RECIPE, made_lines=0, synthesis=tuple(files), stages=stages, round_rows=500)
    said: list[str] = []
    train_reader(recipe, inputs, tmp_path / "work", tmp_path / "reader", say=said.append)
    expected = ["made clean", "made corrupted", "stage 1", "stage 1", "stage 2"]
    assert [line.partition(",")[0] for line in said] == expected
    network = ReaderNetwork.from_pretrained(tmp_path / "reader")
    assert network.config.letters == LETTERS
    assert network.config.match_half != RECIPE.network.match_half
    figures = json.loads((tmp_path / "reader" / "figures.json").read_text())
    assert figures["sources"]["real"]["rows"] == 10
    assert figures["sources"]["real"]["error_rate"] < 1
    assert figures["sources"]["clean"]["match_kept"] == pytest.approx(0.95, abs=0.05)
    assert "word dropped" not in figures["wrong_texts"]  # The lines are single words.
    assert 0.5 < figures["wrong_texts"]["letter doubled"]["auc"] <= 1
    assert set(figures["kept"]["match"]["balanced"]) == {"real", "clean", "corrupted", "mild", "gibberish"}
    assert ReaderRecipe.from_file(tmp_path / "reader" / "training.json") == recipe
    before = (tmp_path / "reader" / "weights.safetensors").read_bytes()
    train_reader(recipe, inputs, tmp_path / "work", tmp_path / "reader", say=said.append)
    assert said[-1].endswith("checkpoint.pt: resumed after 500 rows of stage 2")
    with pytest.raises(PenpalError, match="it belongs to another recipe, or to an earlier version"):
        train_reader(dataclasses.replace(recipe, seed=9), inputs, tmp_path / "work", tmp_path / "reader")
    with pytest.raises(UsageError, match="device 'abacus': PyTorch cannot use it"):
        train_reader(recipe, inputs, tmp_path / "work", tmp_path / "reader", device="abacus")
    assert (tmp_path / "reader" / "weights.safetensors").read_bytes() == before
    started = dataclasses.replace(recipe, stages=(dataclasses.replace(doubting, start_share=1.0),), synthesis=())
    (tmp_path / "started.json").write_text(started.to_json())
    options = {
        **{f"--{name}": getattr(inputs, name) for name in ("real", "generator", "clean", "corrupted")},
        "--start": tmp_path / "reader",
        "--work": tmp_path / "another work",
        "--output": tmp_path / "same reader",
    }
    command = [sys.executable, "-m", "penpal_fast", "train-reader", tmp_path / "started.json"]
    subprocess.run([*command, *itertools.chain(*options.items())], check=True)
    first, again = (load(str(tmp_path / name))[1] for name in ("reader", "same reader"))
    for name, values in first.items():
        np.testing.assert_allclose(again[name], values, atol=2e-3, err_msg=name)


def test_calibration_keeps_the_shares_it_names() -> None:
    rows = [np.log(np.array([[0.02, 0.9 - doubt, 0.04 + doubt, 0.04]])) for doubt in np.linspace(0, 0.4, 101)]
    clean = Read([example("l")] * len(rows), rows)
    config = calibrated(RECIPE.network, clean)
    for scores in (
        match(clean.text_doubts(config), config),
        readability(clean.reading_doubts(), config),
    ):
        assert np.mean(scores >= 0.499) == pytest.approx(0.95, abs=0.011)


def test_lines_are_made_once(tmp_path) -> None:
    generator = made_generator.save(made_generator.made_tensors(), tmp_path / "generator.safetensors")
    texts = [Text(("abba", "cab"), "a01")]
    (part,) = make_lines(texts, generator, tmp_path / "made", rows=2, seed=1)
    first = part.read_bytes()
    table = pq.read_table(part)
    assert table.num_rows == 2
    assert all(set(text) <= set("abcdefgh ") and text.strip() for text in table["text"].to_pylist())
    make_lines(texts, generator, tmp_path / "made", rows=2, seed=1)
    assert part.read_bytes() == first
    assert pq.read_table(make_lines(texts, generator, tmp_path / "again", rows=2, seed=1)[0]).equals(table)
    for others, settings in ((texts, {"rows": 2, "seed": 2}), (texts * 2, {"rows": 2, "seed": 1})):
        with pytest.raises(PenpalError, match="from another plan, other texts"):
            make_lines(others, generator, tmp_path / "made", **settings)
