"""Scores: from every kind of input, with bad rows, whatever the batch size, thread and process."""

from __future__ import annotations

import contextlib
import copy
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path

import mlx.core as mx
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import penpal_fast
from helpers.arrow import column
from helpers.concurrency import run_in_threads
from helpers.made_lines import scrawl
from helpers.models import random_model
from penpal_fast import ArrowScorer, ModelConfig, PenpalError, QualityClassifier, Reader, Scorer, _core
from penpal_fast.engines.folding import folded

ROWS = [scrawl(seed, 3 + seed % 5, 25) for seed in range(12)]


@pytest.fixture(scope="module", params=["native", "mlx"])
def backend(request):
    return request.param


@pytest.fixture(scope="module")
def scorer(backend):
    return Scorer(backend=backend)


def test_scores_are_the_sigmoid_of_the_models_logits(scorer):
    model = QualityClassifier.from_pretrained()
    expected = np.array(mx.sigmoid(model(penpal_fast.render_batch(ROWS))))
    scores = scorer.score(ROWS)
    assert (scores.shape, scores.dtype) == ((12,), np.float32)
    assert np.allclose(scores, expected, atol=1e-5)
    assert ((scores >= 0) & (scores <= 1)).all()
    assert np.allclose(penpal_fast.score(ROWS), scores, atol=1e-5)


@pytest.mark.parametrize("batch_size", [1, 5, 12, 64])
def test_the_batch_size_does_not_matter(scorer, backend, batch_size):
    assert np.allclose(Scorer(backend=backend, batch_size=batch_size).score(ROWS), scorer.score(ROWS), atol=1e-5)


def test_neighbours_do_not_matter(scorer):
    backwards = scorer.score(ROWS[::-1])[::-1]
    assert np.allclose(backwards, scorer.score(ROWS), atol=1e-5)


def test_threads_do_not_matter(scorer, backend):
    for threads in (1, 3):
        assert np.array_equal(Scorer(backend=backend, threads=threads).score(ROWS), scorer.score(ROWS))


@pytest.mark.parametrize(
    "config",
    [
        ModelConfig(),
        ModelConfig(shortcut="projection"),
        ModelConfig(batch_norm=False, line_width=4.0),
        ModelConfig(channels=(3, 5, 12, 40), batch_norm_epsilon=1e-3),
        ModelConfig(channels=(8, 4, 2), shortcut="projection"),
        ModelConfig(channels=(4,) * 10),
    ],
    ids=str,
)
def test_both_engines_agree_on_logits(config):
    model = random_model(config)
    rows = [*ROWS, [[(0.0, 0.0)]], [[(0.0, 0.0), (1.0, 0.0)]], [[(0.0, 0.0), (1e-9, 1.0), (1.0, 1e9)]]]
    native, mlx = (logit(Scorer(model, backend=backend).score(rows)) for backend in ("native", "mlx"))
    assert np.abs(native - mlx).max() < 1e-3


def native_engine(model):
    network = folded(model.config, model.tensors())
    parts = (network.stem, network.blocks, network.head_weight, network.head_bias)
    return _core.Engine(*parts, model.config.line_width)


def test_native_logits_of_pictures_are_those_of_mlx():
    model = random_model(ModelConfig())
    pictures = np.random.default_rng(3).uniform(0, 1, (3, 256, 256, 1)).astype(np.float32)
    pictures[1, :, 40:] = 0
    pictures[2] = 0
    logits = np.empty(3, np.float32)
    native_engine(model).picture_logits_into(pictures, logits, 2)
    np.testing.assert_allclose(logits, np.array(model(mx.array(pictures))), atol=1e-3)


def test_pictures_of_another_shape_or_layout_are_refused():
    engine = native_engine(random_model(ModelConfig()))
    for shape in [(2, 256, 256, 1), (1, 256, 255, 1)]:
        with pytest.raises(PenpalError, match="shape"):
            engine.picture_logits_into(np.zeros(shape, np.float32), np.empty(1, np.float32), 1)
    with pytest.raises(PenpalError, match="C-contiguous"):
        turned = np.zeros((2, 256, 256, 1), np.float32).transpose(0, 2, 1, 3)
        engine.picture_logits_into(turned, np.empty(2, np.float32), 1)
    with pytest.raises(PenpalError, match="aligned to 4 bytes"):
        unaligned = np.ndarray((1, 256, 256, 1), np.float32, buffer=bytearray(4 * 65536 + 1), offset=1)
        engine.picture_logits_into(unaligned, np.empty(1, np.float32), 1)


def test_the_profile_names_every_stage():
    stages = native_engine(random_model(ModelConfig())).profile(_core.Rows([*ROWS[:2], None]))
    names = [name for name, _, _ in stages]
    assert names[0] == "strokes, fit and raster"
    assert len(names) == 1 + 1 + 2 * 4 + 1
    assert all((multiplications > 0) == ("conv" in name or name == "stem") for name, _, multiplications in stages)


def logit(score):
    score = score.astype(np.float64)
    return np.log(score) - np.log1p(-score)


def test_a_model_in_training_mode_is_refused(backend):
    with pytest.raises(PenpalError, match=r"training mode.*call model.eval\(\) first"):
        Scorer(QualityClassifier(), backend=backend)


def test_a_forked_child_scores_or_says_why_not(backend):
    code = (
        f"import os, penpal_fast; scorer = penpal_fast.Scorer(backend={backend!r}); rows = [[[(0, 0), (1, 1)]]] * 8\n"
        "scorer.score(rows)\n"
        "if os.fork() == 0:\n"
        "    try: print('scored', len(scorer.score(rows)), flush=True)\n"
        "    except penpal_fast.PenpalError as error: print(error, flush=True)\n"
        "    os._exit(0)\n"
        "os.wait()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60)
    expected = "scored 8" if backend == "native" else "MLX does not work in a forked process"
    assert done.stdout.startswith(expected)


def test_the_native_engine_does_not_import_mlx():
    code = (
        "import sys, penpal_fast; scorer = penpal_fast.Scorer(backend='native'); "
        "scorer.score([[[(0, 0), (1, 1)]]]); print('mlx.core' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "False\n"


def test_the_line_width_of_the_model_is_used(tmp_path, backend):
    model = QualityClassifier.from_pretrained()
    model.save_pretrained(tmp_path)
    config = (tmp_path / "config.json").read_text()
    (tmp_path / "config.json").write_text(config.replace('"line_width": 1.5', '"line_width": 3.0'))
    expected = np.array(mx.sigmoid(model(penpal_fast.render_batch(ROWS, line_width=3.0))))
    assert np.allclose(Scorer(tmp_path, backend=backend).score(ROWS), expected, atol=1e-5)


def test_bad_rows_raise_or_become_nan(scorer):
    rows = [ROWS[0], None, ROWS[1], [[(0, float("nan"))]]]
    with pytest.raises(PenpalError, match="row 1: null: the row is null"):
        scorer.score(rows)
    scores = scorer.score(rows, errors="null")
    assert np.isnan(scores).tolist() == [False, True, False, True]
    assert np.allclose(scores[[0, 2]], scorer.score(ROWS)[:2], atol=1e-5)
    with pytest.raises(PenpalError, match="errors must be one of"):
        scorer.score(rows, errors="ignore")


def test_no_rows(scorer):
    assert scorer.score([]).shape == (0,)


def test_several_threads_share_a_scorer(scorer):
    expected = scorer.score(ROWS)
    same = []
    run_in_threads(lambda: same.append(np.array_equal(scorer.score(ROWS), expected)))
    assert same == [True] * 4


def test_an_error_in_a_thread_reaches_its_caller(scorer):
    errors = []

    def work():
        try:
            scorer.score([None])
        except PenpalError as error:
            errors.append(str(error))

    run_in_threads(work, 1)
    assert errors == ["row 0: null: the row is null"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"backend": "abacus"}, "backend must be one of"),
        ({"batch_size": 0}, "batch_size must be from 1 to 4096"),
        ({"threads": 0}, "threads must be from 1 to 1024"),
        ({"model": "//nowhere"}, "no model at"),
    ],
)
def test_bad_settings_are_refused(settings, message):
    with pytest.raises(PenpalError, match=message):
        Scorer(**settings)


@pytest.mark.parametrize("make", [pa.table, lambda columns: pa.table(columns).to_batches()[0]], ids=["table", "batch"])
def test_arrow_in_arrow_out(scorer, backend, make):
    rows = [*ROWS[:3], None, ROWS[4]]
    data = make({"text": list("abcde"), "strokes": column(rows)})
    scored = ArrowScorer(backend=backend)(data)
    assert type(scored) is type(data)
    assert scored.schema.names == ["text", "strokes", "quality", "quality_error", "quality_note"]
    assert scored.schema.field("quality").type == pa.float32()
    expected = scorer.score(rows, errors="null")
    found = scored.column("quality").to_numpy(zero_copy_only=False)
    assert np.allclose(found, expected, atol=1e-5, equal_nan=True)
    assert scored.column("quality").null_count == 1
    assert scored.column("quality_error").to_pylist() == [None, None, None, "null: the row is null", None]
    assert scored.select(["text", "strokes"]).equals(data.select(["text", "strokes"]))


def test_scores_are_replaced_where_they_are():
    data = pa.table({"quality": ["x"], "ink": column(ROWS[:1])})
    scored = ArrowScorer(column="ink")(data)
    assert scored.schema.names == ["ink", "quality", "quality_error", "quality_note"]
    assert scored.schema.field("quality").type == pa.float32()


def test_another_column(scorer):
    table = pa.table({"ink": column(ROWS[:3])})
    assert np.allclose(scorer.score(table, column="ink"), scorer.score(ROWS[:3]), atol=1e-5)
    with pytest.raises(PenpalError, match='no column "strokes"; the columns are ink; name yours with column='):
        scorer.score(table)


def test_data_frames_that_speak_arrow_become_tables():
    class Frame:
        def __arrow_c_stream__(self, requested_schema=None):
            return pa.table({"strokes": column(ROWS[:2])}).__arrow_c_stream__(requested_schema)

    scored = ArrowScorer()(Frame())
    assert isinstance(scored, pa.Table)
    assert scored["quality"].null_count == 0


@pytest.mark.parametrize("one", [Scorer, Reader])
@pytest.mark.parametrize("copied", [pickle.dumps, copy.copy, copy.deepcopy])
def test_scorers_and_readers_are_not_pickled(one, copied):
    with pytest.raises(TypeError, match=f"a {one.__name__} cannot be pickled or copied; make one in each process"):
        copied(one())


def test_an_arrow_scorer_can_be_pickled_before_and_after_use():
    data = pa.table({"strokes": column(ROWS[:2])})
    arrow_scorer = ArrowScorer(batch_size=1)
    before = pickle.loads(pickle.dumps(arrow_scorer))(data)  # noqa: S301 - our own bytes
    after = arrow_scorer(data)
    sent = pickle.dumps(arrow_scorer)
    assert len(sent) < 1000  # It has the settings, but not the model.
    assert pickle.loads(sent)(data).equals(after)  # noqa: S301
    assert before.equals(after)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            pa.table({"ink": [1]}),
            "no column 'strokes'; name the one .*\nthe columns are\n  ink: int64\nstrokes are list<",
        ),
        (pa.table([pa.array([1]), pa.array([1])], names=["strokes", "strokes"]), "more than one column 'strokes'"),
        (pa.table({"strokes": [1]}), "the column 'strokes' does not hold strokes\nthe columns are"),
        ([1], "expected a pyarrow RecordBatch or Table, got list"),
        (pa.chunked_array([[[[1.0]]]]), "expected a pyarrow RecordBatch or Table, got ChunkedArray"),
        (pa.array([[[1.0]]]), "expected a pyarrow RecordBatch or Table, got "),
    ],
    ids=["no column", "two columns", "numbers", "list", "column", "array"],
)
def test_other_data_is_refused(data, message):
    with pytest.raises(PenpalError, match=message):
        ArrowScorer()(data)


def test_clean_example_lines_score_above_corrupted_ones(example_file):
    table = pq.read_table(example_file)
    scores = penpal_fast.score(table)
    corrupted = np.array([severity in ("mild", "gibberish") for severity in table["corruption"].to_pylist()])
    clean = np.array([severity is None for severity in table["corruption"].to_pylist()])
    higher = (scores[clean][:, None] > scores[corrupted]).mean()
    assert higher > 0.8


def test_the_line_width_is_the_models(backend, scorer):
    assert scorer.line_width == ModelConfig().line_width
    assert Scorer(random_model(ModelConfig(line_width=2.5)), backend=backend).line_width == 2.5


@pytest.mark.parametrize("model", ["a" * 5000, "null\0byte"])
def test_names_that_no_model_can_have(model):
    with pytest.raises(PenpalError, match="no model at"):
        Scorer(model)


@pytest.mark.parametrize("batch_size", [1.5, "8", 0, 4097])
def test_batch_sizes_that_cannot_be(batch_size):
    with pytest.raises(PenpalError, match="batch_size must be from 1 to 4096 or None"):
        Scorer(backend="mlx", batch_size=batch_size)


def test_an_interrupt_ends_the_scoring_of_large_rows():
    """Such a row takes seconds, so few are scored between two looks for interrupts."""
    program = """
import numpy as np, penpal_fast, sys
corner = np.tile([[0.0, 0.0], [1.0, 1.0]], (150_000, 1))
scorer = penpal_fast.Scorer(backend="native")
print("ready", flush=True)
scorer.score([[corner]] * 100)
"""
    started = time.monotonic()
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.readline()
        time.sleep(0.5)
        while process.poll() is None and time.monotonic() - started < 60:
            process.send_signal(signal.SIGINT)  # Python drops one that comes while it removes an object.
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=10)
        _, errors = process.communicate(timeout=60)
    assert b"KeyboardInterrupt" in errors
    assert process.returncode != 0
    assert time.monotonic() - started < 60


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="counts threads where Linux lists them")
def test_threads_that_are_no_longer_used_end():
    def threads():
        return sum(1 for _ in Path("/proc/self/task").iterdir())

    before = threads()
    for count in range(1, 60):
        Scorer(backend="native", threads=count).score(ROWS[:1])
    for _ in range(100):
        if threads() - before <= 8 * 60:
            return
        time.sleep(0.1)
    raise AssertionError(f"{threads() - before} threads are left of 1,770")
