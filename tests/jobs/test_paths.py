"""Odd paths: loops of links, pipes, long names, names that are not UTF-8, modes. One readable error, before work."""

from __future__ import annotations

import logging
import os
import re
import stat
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from helpers.alarm import within
from helpers.arrow import column
from helpers.commands import run
from helpers.interruption import Stop, stop_after
from helpers.made_lines import scrawl
from helpers.rights import without_rights
from penpal_fast import PenpalError, QualityClassifier, Scorer, filter_dataset, score_dataset
from penpal_fast.files import replaced_atomically
from penpal_fast.jobs import parts
from penpal_fast.jobs.convert import convert_dataset
from penpal_fast.sources import spool
from penpal_fast.sources.inputs import find_inputs
from penpal_fast.training.recipe import BUNDLED

NOT_UTF8 = os.fsdecode(b"l\xff.parquet")


@pytest.fixture
def lines(tmp_path):
    path = tmp_path / "lines.parquet"
    pq.write_table(pa.table({"strokes": column([scrawl(seed, 2, 12) for seed in range(20)])}), path, row_group_size=5)
    return path


@pytest.fixture
def odd(tmp_path):
    """A folder with a loop of links, a pipe under two names, a link to nothing, and a file."""
    folder = tmp_path / "odd"
    folder.mkdir()
    for name in ("loop.parquet", "loop"):
        (folder / name).symlink_to(f"other-{name}")
        (folder / f"other-{name}").symlink_to(name)
    os.mkfifo(folder / "pipe.parquet")
    os.mkfifo(folder / "pipe")
    (folder / "nowhere.parquet").symlink_to("nothing.parquet")
    (folder / "file").write_text("mine")
    return folder


OUTPUTS = {
    "loop.parquet": "cannot write it: Too many levels of symbolic links",
    "loop": "cannot write it: Too many levels of symbolic links",
    "loop/out.parquet": "cannot write it: Too many levels of symbolic links",
    "pipe.parquet": "cannot write it: it exists already and is not a regular file",
    "pipe": "cannot write it: it exists already and is not a folder",
    "file": "cannot write it: it exists already and is not a folder",
    "pipe/out.parquet": "cannot write it: there is no folder",
    NOT_UTF8: "the output's name must be UTF-8",
    f"{'x' * 250}.parquet": "cannot write it: File name too long",
    "x" * 256: "cannot write it: File name too long",
}


def shown(text):
    """A text with its odd letters escaped once."""
    return ascii(text)[1:-1].replace("\\\\", "\\")


def no_progress(*_):
    pytest.fail("work began")


@pytest.mark.parametrize("name", OUTPUTS, ids=ascii)
def test_an_output_that_cannot_be_is_refused_before_work(lines, odd, scorer, name):
    message = re.escape(OUTPUTS[name])
    for resume in (False, True):
        with within(20), pytest.raises(PenpalError, match=message) as found:
            score_dataset(lines, odd / name, scorer=scorer, resume=resume, progress=no_progress)
    assert shown(name) in shown(str(found.value))
    if name.endswith(".parquet"):
        with within(20), pytest.raises(PenpalError, match=message):
            filter_dataset(lines, odd / name, scorer=scorer, progress=no_progress)
        with within(20), pytest.raises(PenpalError, match=message):
            filter_dataset(lines, odd / "good.parquet", keep_rejected=odd / name, scorer=scorer, progress=no_progress)
    assert not [path for path in odd.iterdir() if path.name.startswith(".penpal") or path.name.endswith(".parts")]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("loop.html", "cannot write it: Too many levels of symbolic links"),
        ("pipe.html", "cannot write it: it exists already and is not a regular file"),
        ("pipe/out.html", "cannot write it: there is no folder"),
        (os.fsdecode(b"l\xff.html"), "the output's name must be UTF-8"),
        (f"{'x' * 252}.html", "cannot write it: File name too long"),
    ],
    ids=ascii,
)
def test_a_page_that_cannot_be_written_is_refused(lines, odd, scorer, name, message):
    score_dataset(lines, odd / "scored.parquet", scorer=scorer)
    (odd / "loop.html").symlink_to("loop.html")
    (odd / "pipe").rename(odd / "pipe.html")
    os.mkfifo(odd / "pipe")
    with within(60):
        done = run("report", odd / "scored.parquet", "-o", odd / name)
    assert done.exit_code == 1
    assert message in done.output
    assert isinstance(done.exception, SystemExit)


INPUTS = {
    "loop.parquet": "cannot read it: .*Too many levels of symbolic links",
    "pipe.parquet": "cannot read it: .*it is not a regular file",
    "nowhere.parquet": "there is no such file",
    NOT_UTF8: "its name is not UTF-8; rename it",
}


@pytest.mark.parametrize("name", INPUTS, ids=ascii)
@pytest.mark.parametrize("given", ["alone", "in a folder", "by a pattern"])
def test_an_input_that_cannot_be_read_is_named(lines, odd, scorer, monkeypatch, name, given):
    monkeypatch.setattr(spool, "WRITER_SECONDS", 0.2)
    folder = lines.parent / "inputs"
    folder.mkdir()
    if name == NOT_UTF8:
        (folder / name).write_bytes(lines.read_bytes())
    else:
        for path in (odd / name, odd / f"other-{name}"):
            if path.is_symlink() or path.exists():
                path.rename(folder / path.name)
    inputs = {"alone": folder / name, "in a folder": folder, "by a pattern": folder / "[lopn]*"}[given]
    with within(20), pytest.raises(PenpalError, match=INPUTS[name]) as found:
        score_dataset(inputs, odd / "out.parquet", scorer=scorer, progress=no_progress)
    assert shown(name) in shown(str(found.value))


def test_a_folder_that_takes_no_files_is_named():
    if not Path("/proc/self").is_dir():
        pytest.skip("there is no /proc")
    with (
        pytest.raises(PenpalError, match=r"out.png: cannot write it: no file can be made in /proc/\d+"),
        replaced_atomically(Path("/proc/self/out.png")),
    ):
        pass


def test_an_input_without_a_name_is_refused(monkeypatch, lines):
    monkeypatch.chdir(lines.parent)
    for given in ("", ["lines.parquet", ""]):
        with pytest.raises(PenpalError, match="the name of an input is empty"):
            find_inputs(given)


COMMANDS = [
    "score {} -o out.parquet",
    "filter {} -o out.parquet",
    "read {}",
    "convert {} -o out.parquet",
    "report {} -o out.html",
    "sheet {} -o out.png",
    "render {} --row 0 -o out.png",
    "explain {} --row 0",
    "serve {} --port 0",
    "evaluate --real {0} --clean {0} --corrupted {0}",
    "synthesize {} -o out.parquet --generator file",
    "train recipe.json --real {} -o out --work work",
]


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_refuse_pipes_and_loops(odd, monkeypatch, command):
    monkeypatch.chdir(odd)
    monkeypatch.setattr(spool, "WRITER_SECONDS", 0.2)
    (odd / "recipe.json").write_bytes(BUNDLED.read_bytes())
    before = sorted(odd.iterdir())
    for name in ("loop.parquet", "pipe.parquet"):
        with within(60):
            done = run(*command.format(name).split())
        assert done.exit_code == 1, done.output
        assert re.search(rf"{name}: cannot read (it|the texts)", " ".join(done.output.split())), done.output
        assert isinstance(done.exception, SystemExit)
    assert [path for path in sorted(odd.iterdir()) if path.name not in ("work", "out")] == before


def test_a_folder_that_cannot_be_is_refused_before_rows_are_measured(lines, odd, monkeypatch):
    monkeypatch.setattr("penpal_fast.checks.quality.Scorer.__init__", lambda *_, **__: pytest.fail("work began"))
    for name in ("loop", "pipe", "file", "file/out"):
        files = [part for kind in ("--real", "--clean", "--corrupted") for part in (kind, lines)]
        done = run("evaluate", *files, "-o", odd / name)
        assert done.exit_code == 1
        assert "cannot make this folder" in " ".join(done.output.split())


def test_an_empty_name_is_no_file_to_serve():
    done = run("serve", "", "--port", "0")
    assert done.exit_code == 1
    assert "the name of an input is empty" in done.output


@pytest.mark.parametrize("length", [250, 255])
def test_a_long_name_is_written_and_resumed(lines, tmp_path, scorer, monkeypatch, caplog, length):
    monkeypatch.setattr(parts, "PART_ROWS", 5)
    monkeypatch.setattr(parts, "COPIED_GROUP_ROWS", 1)
    target = tmp_path / f"{'é' * ((length - 8) // 2)}{'x' * (length % 2)}.parquet"
    assert len(os.fsencode(target.name)) == length
    with pytest.raises(Stop):
        score_dataset(lines, target, scorer=scorer, progress=stop_after(15))
    caplog.set_level(logging.INFO, "penpal_fast")
    score_dataset(lines, target, scorer=scorer, resume=True)
    assert "of 4 parts are finished already" in caplog.text
    score_dataset(lines, tmp_path / "short.parquet", scorer=scorer)
    assert target.read_bytes() == (tmp_path / "short.parquet").read_bytes()
    assert {path.name for path in tmp_path.iterdir()} == {lines.name, target.name, "short.parquet"}


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o444])
def test_a_replaced_output_keeps_its_mode(lines, tmp_path, scorer, mode):
    target = tmp_path / "out.parquet"
    target.write_text("old")
    target.chmod(mode)
    modes = set()

    def look(_done, _total):
        for path in tmp_path.rglob("*"):
            if path != lines and path != target:
                modes.add(stat.S_IMODE(path.stat().st_mode) if path.parent == tmp_path else 0)

    score_dataset(lines, target, scorer=scorer, progress=look)
    assert stat.S_IMODE(target.stat().st_mode) == mode
    if mode == 0o600:
        # Lock files have no data.
        folders = [found for found in modes if found & 0o100]
        assert folders == [0o700]
    filter_dataset(lines, target, scorer=scorer, threshold=0)
    assert pq.read_metadata(target).num_rows == 20
    assert stat.S_IMODE(target.stat().st_mode) == mode


def test_a_new_output_has_the_usual_mode(lines, tmp_path, scorer):
    (tmp_path / "usual").touch()
    score_dataset(lines, tmp_path / "out.parquet", scorer=scorer)
    filter_dataset(lines, tmp_path / "kept.parquet", scorer=scorer)
    for name in ("out.parquet", "kept.parquet"):
        assert (tmp_path / name).stat().st_mode == (tmp_path / "usual").stat().st_mode


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_a_replaced_output_keeps_its_owner(lines, tmp_path, scorer):
    target = tmp_path / "out.parquet"
    target.write_text("old")
    os.chown(target, 65534, 65534)
    filter_dataset(lines, target, scorer=scorer)
    assert (target.stat().st_uid, target.stat().st_gid) == (65534, 65534)


@pytest.mark.parametrize("output", ["out.parquet", "out"])
def test_links_in_the_folder_of_a_job_are_not_followed(lines, tmp_path, scorer, monkeypatch, output):
    monkeypatch.setattr(parts, "PART_ROWS", 5)
    monkeypatch.setattr(parts, "COPIED_GROUP_ROWS", 1)
    with pytest.raises(Stop):
        score_dataset(lines, tmp_path / output, scorer=scorer, progress=stop_after(15))
    folder = tmp_path / (f"{output}.parts" if output.endswith(".parquet") else output)
    for name in ("part-00000.parquet", "part-00001.parquet", "part-00003.parquet"):
        (tmp_path / f"mine-{name}").write_text("mine")
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(tmp_path / f"mine-{name}")
    score_dataset(lines, tmp_path / output, scorer=scorer, resume=True)
    assert {path.read_text() for path in tmp_path.glob("mine-*")} == {"mine"}
    assert not any(path.is_symlink() for path in tmp_path.rglob("part-*"))


def test_a_link_in_place_of_the_folder_of_parts_is_refused(lines, tmp_path, scorer):
    (tmp_path / "others").mkdir()
    (tmp_path / "out.parquet.parts").symlink_to("others")
    with pytest.raises(PenpalError, match=r"out.parquet.parts: it is a link; remove it"):
        score_dataset(lines, tmp_path / "out.parquet", scorer=scorer)
    assert list((tmp_path / "others").iterdir()) == []


def test_a_model_folder_without_permission():
    with tempfile.TemporaryDirectory() as place:
        QualityClassifier().save_pretrained(place)
        Path(place).chmod(0)
        with without_rights(), pytest.raises(PenpalError, match=f"no model at '{place}': .*Permission denied"):
            Scorer(place)
        Path(place).chmod(0o700)


@pytest.mark.parametrize("name", ["loop", "pipe", "loop/model"])
def test_a_model_that_is_no_folder(odd, name):
    with within(20), pytest.raises(PenpalError, match="no model at"):
        Scorer(odd / name)


@pytest.mark.parametrize(
    ("inputs", "kind"),
    [(pa.table({"x": [1]}), "Table"), ({"strokes": []}, "dict"), (b"a.parquet", "bytes"), (7, "int")],
)
def test_rows_in_memory_are_no_input(tmp_path, scorer, inputs, kind):
    with pytest.raises(PenpalError, match=f"got {kind}; rows in memory are for Scorer, Reader or ArrowScorer"):
        score_dataset(inputs, tmp_path / "out.parquet", scorer=scorer)


@pytest.mark.parametrize("inputs", [[None], [b"a.parquet"], pa.chunked_array([["a"]])])
def test_an_input_is_a_path(tmp_path, scorer, inputs):
    with pytest.raises(PenpalError, match="an input must be a path or an address, got"):
        score_dataset(inputs, tmp_path / "out.parquet", scorer=scorer)


@pytest.mark.parametrize(
    ("output", "message"), [(None, "the output must be a path, got NoneType"), ("", "the output's name is")]
)
def test_an_output_has_a_name(lines, scorer, output, message):
    with pytest.raises(PenpalError, match=message):
        score_dataset(lines, output, scorer=scorer)


@pytest.mark.parametrize("raised", [OSError("mine"), PenpalError("mine"), StopIteration("mine"), Stop()], ids=repr)
@pytest.mark.parametrize("job", ["score", "filter", "convert"])
def test_what_a_progress_raises_comes_through(tmp_path, scorer, job, raised):
    """It is no error of the output, nor of a file."""
    lines = tmp_path / "lines.parquet"
    pq.write_table(pa.table({"strokes": column([scrawl(0, 2, 9)] * 3)}), lines)
    cause, before = KeyError("cause"), KeyError("before")

    def report(_done, _total):
        try:
            raise before
        except KeyError:
            raise raised from cause

    jobs = {"score": score_dataset, "filter": filter_dataset, "convert": convert_dataset}
    given = {"column": "strokes"} if job == "convert" else {"scorer": scorer}
    with pytest.raises(type(raised)) as caught:
        jobs[job](lines, tmp_path / "out.parquet", progress=report, **given)
    assert caught.value is raised
    assert (raised.__cause__, raised.__context__) == (cause, before)
    assert not (tmp_path / "out.parquet").exists()
