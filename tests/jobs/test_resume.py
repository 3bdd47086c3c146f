"""Interrupted jobs: what they leave, and that a resumed job's output is byte-identical."""

from __future__ import annotations

import errno
import json
import logging
import os
import re
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from helpers.arrow import column
from helpers.interruption import Stop, stop_after
from helpers.made_lines import scrawl
from helpers.outputs import content
from helpers.readers import write_reader
from penpal_fast import PenpalError, QualityClassifier, Scorer, filter_dataset, score_dataset
from penpal_fast.jobs import parts
from penpal_fast.jobs.part_files import EncodedFile
from penpal_fast.jobs.summary import JobSummary

ROWS = [scrawl(seed, 2 + seed % 3, 12) for seed in range(50)]


@pytest.fixture(params=["copied", "encoded", "JSON lines"])
def lines(tmp_path, monkeypatch, request):
    """Two files of 50 rows each that make ten parts."""
    monkeypatch.setattr(parts, "PART_ROWS", 10)
    monkeypatch.setattr(parts, "COPIED_GROUP_ROWS", 1)
    monkeypatch.setattr(parts, "GROUP_ROWS", 4)
    folder = tmp_path / "lines"
    folder.mkdir()
    for name in "ab":
        if request.param == "JSON lines":
            rows = [json.dumps({"strokes": row, "name": f"{name}{number}"}) for number, row in enumerate(ROWS)]
            (folder / f"{name}.jsonl").write_text("\n".join(rows))
        else:
            table = pa.table({"strokes": column(ROWS), "name": [f"{name}{number}" for number in range(50)]})
            pq.write_table(table, folder / f"{name}.parquet", row_group_size=10 if request.param == "copied" else 50)
    return folder


any_kind = pytest.mark.parametrize("lines", ["copied"], indirect=True)
"""For tests of what does not depend on the kind of the inputs."""


@pytest.mark.parametrize("output", ["out.parquet", "out"])
@pytest.mark.parametrize("memory_mb", [1, 256])
def test_a_stopped_job_is_resumed_to_the_same_bytes(lines, tmp_path, scorer, output, memory_mb, monkeypatch):
    (tmp_path / "whole").mkdir()
    expected = score_dataset(lines, tmp_path / "whole" / output, scorer=scorer)
    monkeypatch.setattr("penpal_fast.sources.memory.BATCH_ROWS", 3 if memory_mb == 1 else 512)
    target = tmp_path / output
    for rows in (25, 10, 1):
        with pytest.raises(Stop):
            score_dataset(lines, target, scorer=scorer, resume=True, progress=stop_after(rows), memory_mb=memory_mb)
        assert not (tmp_path / "out.parquet").exists()
    summary = score_dataset(lines, target, scorer=scorer, resume=True, memory_mb=memory_mb)
    assert content(target) == content(tmp_path / "whole" / output)
    assert {**summary.as_dict(), "seconds": 0} == {**expected.as_dict(), "seconds": 0}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lines", output, "whole"]


@any_kind
def test_only_what_is_missing_is_scored(lines, tmp_path, scorer, caplog):
    caplog.set_level(logging.INFO, "penpal_fast")
    with pytest.raises(Stop):
        score_dataset(lines, tmp_path / "out", scorer=scorer, progress=stop_after(25))
    assert "20 of 100 rows are kept; run it again with --resume" in caplog.text
    assert "--resume" in caplog.text
    os.remove(tmp_path / "out" / "part-00000.parquet")  # noqa: PTH107
    seen = []

    def run() -> JobSummary:
        return score_dataset(
            lines, tmp_path / "out", scorer=scorer, resume=True, progress=lambda done, _total: seen.append(done)
        )

    assert run().resumed_rows == 10
    assert "1 of 10 parts are finished already" in caplog.text
    assert (min(seen), max(seen)) == (10, 100)
    again = run()
    assert again.resumed_rows == again.rows == 100
    assert again.seconds.get("scoring", 0) == 0


def interrupted_after(rows):
    def progress(done, _total):
        if done >= rows:
            raise KeyboardInterrupt

    return progress


@any_kind
@pytest.mark.parametrize("job", [score_dataset, filter_dataset])
def test_ctrl_c_says_what_is_kept_and_how_to_go_on(lines, tmp_path, scorer, job, monkeypatch):
    monkeypatch.setattr("penpal_fast.sources.memory.BATCH_ROWS", 3)
    again = "run it again with --resume" if job is score_dataset else "run it again to go on"
    with pytest.raises(KeyboardInterrupt, match=rf"^[2-9]0 of 100 rows are kept; {again}"):
        job(lines, tmp_path / "out.parquet", scorer=scorer, progress=interrupted_after(35))
    assert (tmp_path / "out.parquet.parts").is_dir()
    with pytest.raises(KeyboardInterrupt, match=r"no rows are kept, .* up to 10 rows"):
        job(lines, tmp_path / "other.parquet", scorer=scorer, progress=interrupted_after(1), memory_mb=1)
    assert not (tmp_path / "other.parquet.parts").exists()


@any_kind
def test_without_a_job_to_resume_one_starts(lines, tmp_path, scorer):
    assert score_dataset(lines, tmp_path / "out.parquet", scorer=scorer, resume=True).rows == 100
    before = (tmp_path / "out.parquet").stat().st_mtime_ns
    assert score_dataset(lines, tmp_path / "out.parquet", scorer=scorer, resume=True).rows == 100
    assert (tmp_path / "out.parquet").stat().st_mtime_ns == before


@any_kind
def test_parts_that_a_kill_left_behind_a_whole_file_are_removed(lines, tmp_path, scorer):
    score_dataset(lines, tmp_path / "out.parquet", scorer=scorer)
    left = tmp_path / "out.parquet.parts"
    score_dataset(lines, left, scorer=scorer)
    (left / "part-00000.parquet").unlink()
    assert score_dataset(lines, tmp_path / "out.parquet", scorer=scorer, resume=True).rows == 100
    assert not left.exists()


@any_kind
@pytest.mark.parametrize("output", ["out.parquet", "out"])
def test_a_stopped_job_with_texts_is_resumed_to_the_same_bytes(lines, tmp_path, scorer, reader, output):
    (tmp_path / "whole").mkdir()
    settings = {"scorer": scorer, "reader": reader, "text": "name", "reading": True}
    expected = score_dataset(lines, tmp_path / "whole" / output, **settings)
    for rows in (25, 10, 1):
        with pytest.raises(Stop):
            score_dataset(lines, tmp_path / output, resume=True, progress=stop_after(rows), **settings)
    summary = score_dataset(lines, tmp_path / output, resume=True, **settings)
    assert content(tmp_path / output) == content(tmp_path / "whole" / output)
    assert {**summary.as_dict(), "seconds": 0} == {**expected.as_dict(), "seconds": 0}
    assert len(set(pq.read_table(tmp_path / output)["text_match"].to_pylist())) > 20


@any_kind
def test_another_reader_or_column_of_texts_is_refused(lines, tmp_path, scorer, reader):
    for path in lines.iterdir():
        table = pq.read_table(path)
        pq.write_table(table.append_column("label", table["name"]), path, row_group_size=10)

    def started(**settings):
        return score_dataset(lines, tmp_path / "out", scorer=scorer, **settings)

    with pytest.raises(Stop):
        started(reader=reader, text="name", progress=stop_after(25))
    other = write_reader(tmp_path / "other", seed=2)
    for settings, message in (
        ({"reader": other, "text": "name"}, r"here: the check 'text_match': the model changed\. Undo the change"),
        ({"reader": reader, "text": "label"}, "'text_match': it reads strokes, label and no longer strokes, name"),
        ({"reader": reader, "text": "name", "reading": True}, "'text_match': it adds .*, reading, readability and no"),
        ({"reader": reader, "reading": True}, "the check 'text_match' is gone; the check 'readability' is new"),
        ({}, "here: the check 'text_match' is gone"),
    ):
        with pytest.raises(PenpalError, match=message):
            started(resume=True, **settings)
    assert started(reader=reader, text="name", resume=True).rows == 100
    with pytest.raises(PenpalError, match="the check 'text_match': the model changed"):
        started(reader=other, text="name", resume=True)


def longer(lines):
    path = next(lines.iterdir())
    path.write_bytes(path.read_bytes() * 2 if path.suffix == ".jsonl" else path.read_bytes())


def one_more(lines):
    path = next(lines.iterdir())
    path.with_name(f"c{path.suffix}").write_bytes(path.read_bytes())


def one_less(lines):
    (lines / sorted(path.name for path in lines.iterdir())[0]).unlink()


def touched(lines):
    os.utime(next(lines.iterdir()), (1, 1))


def rewritten(lines):
    """Other content of the same length, with the time of the last change put back."""
    path = next(lines.iterdir())
    before = path.stat()
    path.write_bytes(path.read_bytes().replace(b"9", b"8"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (rewritten, r"the input .*lines/[ab]\.\w+' changed"),
        (longer, r"the input .*lines/[ab]\.\w+' changed"),
        (touched, r"the input .*lines/[ab]\.\w+' changed"),
        (one_more, r"the input .*lines/c\.\w+' is new"),
        (one_less, r"the input .*lines/a\.\w+' is gone"),
    ],
)
def test_changed_inputs_are_refused(lines, tmp_path, scorer, change, message):
    with pytest.raises(Stop):
        score_dataset(lines, tmp_path / "out", scorer=scorer, progress=stop_after(25))
    change(lines)
    with pytest.raises(PenpalError, match=f"cannot resume the job that was started here: {message}"):
        score_dataset(lines, tmp_path / "out", scorer=scorer, resume=True)


def reversed_rows(path, aside):
    """The same rows in reverse order, in a file of the same kind."""
    if path.suffix == ".jsonl":
        aside.write_text("\n".join(reversed(path.read_text().splitlines())))
    else:
        table = pq.read_table(path)
        rows = pq.read_metadata(path).row_group(0).num_rows
        pq.write_table(table.take(list(range(len(table) - 1, -1, -1))), aside, row_group_size=rows)


def kept_where_an_input_is_replaced(lines, output, scorer, rows):
    """Replace the first input once this number of rows is finished; return the folder of the parts."""
    path, other = min(lines.iterdir()), output.with_name("other")
    reversed_rows(path, other)

    def replace(done, _total):
        if done == rows:
            other.replace(path)

    with pytest.raises(PenpalError, match=r"lines/a\.\w+: it changed while it was being read"):
        score_dataset(lines, output, scorer=scorer, progress=replace)
    return output.with_name(f"{output.name}.parts") if output.suffix else output


@pytest.mark.parametrize("output", ["out.parquet", "out"])
def test_an_input_that_is_replaced_meanwhile_gives_no_part(lines, tmp_path, scorer, output):
    kept = kept_where_an_input_is_replaced(lines, tmp_path / output, scorer, rows=30)
    # The second part may not have reached the disk.
    assert {file.name for file in kept.glob("*.parquet")} <= {"part-00000.parquet", "part-00001.parquet"}
    assert not (tmp_path / "out.parquet").exists()


@pytest.mark.parametrize("output", ["out.parquet", "out"])
def test_an_input_that_was_read_and_then_replaced_gives_no_output(lines, tmp_path, scorer, output):
    kept = kept_where_an_input_is_replaced(lines, tmp_path / output, scorer, rows=100)
    assert not (tmp_path / "out.parquet").exists()
    assert not json.loads((kept / "_manifest.json").read_text())["complete"]


@any_kind
@pytest.mark.parametrize(
    ("package", "name"), [("penpal_fast.jobs.identity.__version__", "penpal_fast"), ("pyarrow.__version__", "pyarrow")]
)
def test_other_versions_are_refused(lines, tmp_path, scorer, monkeypatch, package, name):
    with pytest.raises(Stop):
        score_dataset(lines, tmp_path / "out", scorer=scorer, progress=stop_after(25))
    monkeypatch.setattr(package, "0.0.1")
    with pytest.raises(PenpalError, match=f"here: {name} was '.*' and is now '0.0.1'"):
        score_dataset(lines, tmp_path / "out", scorer=scorer, resume=True)


@any_kind
def test_another_model_or_setting_is_refused(lines, tmp_path, scorer):
    with pytest.raises(Stop):
        score_dataset(lines, tmp_path / "out", scorer=scorer, progress=stop_after(25))
    with pytest.raises(
        PenpalError, match=r"here: the check 'quality': the model changed\. Undo the change, write to another place"
    ):
        score_dataset(lines, tmp_path / "out", scorer=Scorer(QualityClassifier().eval()), resume=True)
    with pytest.raises(PenpalError, match="here: the check 'quality': backend was 'native' and is now 'mlx'"):
        score_dataset(lines, tmp_path / "out", scorer=Scorer(backend="mlx"), resume=True)
    with pytest.raises(PenpalError, match="here: the inputs are in another order"):
        score_dataset(sorted(lines.iterdir(), reverse=True), tmp_path / "out", scorer=scorer, resume=True)


@any_kind
def test_a_whole_file_of_another_job_is_refused(lines, tmp_path, scorer):
    score_dataset(next(lines.iterdir()), tmp_path / "out.parquet", scorer=scorer)
    with pytest.raises(PenpalError, match="this file exists already; it was written from another input or model"):
        score_dataset(lines, tmp_path / "out.parquet", scorer=scorer, resume=True)
    assert score_dataset(lines, tmp_path / "out.parquet", scorer=scorer).rows == 100


@any_kind
def test_a_started_job_is_not_overwritten(lines, tmp_path, scorer):
    with pytest.raises(Stop):
        score_dataset(lines, tmp_path / "out", scorer=scorer, progress=stop_after(25))
    with pytest.raises(PenpalError, match="a job was started here; resume it with --resume"):
        score_dataset(lines, tmp_path / "out", scorer=scorer)


@any_kind
def test_a_folder_of_other_files_is_left_alone(lines, tmp_path, scorer):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "diary.txt").write_text("mine")
    for resume in (False, True):
        with pytest.raises(PenpalError, match="the folder is not empty; choose another place"):
            score_dataset(lines, tmp_path / "out", scorer=scorer, resume=resume)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["diary.txt"]


def settings_list(path):
    manifest = json.loads(path.read_text())
    manifest["job"]["settings"] = ["column"]
    path.write_text(json.dumps(manifest))


def deep(path):
    path.write_bytes(b"[" * 100_000)


@any_kind
@pytest.mark.parametrize(
    "damage", [lambda path: path.write_bytes(b"?"), lambda path: path.write_bytes(b"{}"), settings_list, deep]
)
def test_a_damaged_manifest_is_refused(lines, tmp_path, scorer, damage):
    with pytest.raises(Stop):
        score_dataset(lines, tmp_path / "out", scorer=scorer, progress=stop_after(25))
    damage(tmp_path / "out" / "_manifest.json")
    with pytest.raises(PenpalError, match=r"_manifest.json: cannot read it: .*; remove .* to start again"):
        score_dataset(lines, tmp_path / "out", scorer=scorer, resume=True)


def flipped(path):
    """The same file but for one bit of a column."""
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 1
    path.write_bytes(content)


def of_another_part(path):
    path.write_bytes(path.with_name("part-00001.parquet").read_bytes())


@any_kind
@pytest.mark.parametrize("damage", [lambda path: path.write_bytes(b"PAR1"), flipped, of_another_part])
@pytest.mark.parametrize("output", ["out.parquet", "out"])
def test_a_damaged_part_is_written_again(lines, tmp_path, scorer, caplog, damage, output):
    (tmp_path / "whole").mkdir()
    score_dataset(lines, tmp_path / "whole" / output, scorer=scorer)
    with pytest.raises(Stop):
        score_dataset(lines, tmp_path / output, scorer=scorer, progress=stop_after(25))
    folder = tmp_path / (f"{output}.parts" if output.endswith(".parquet") else output)
    damage(folder / "part-00000.parquet")
    score_dataset(lines, tmp_path / output, scorer=scorer, resume=True)
    assert content(tmp_path / output) == content(tmp_path / "whole" / output)
    assert "part-00000.parquet: checksum mismatch" in caplog.text


@any_kind
@pytest.mark.parametrize("end", [0, 10], ids=["missing", "cut off"])
def test_a_part_without_a_checksum_is_written_again(lines, tmp_path, scorer, caplog, end):
    score_dataset(lines, tmp_path / "whole", scorer=scorer)
    with pytest.raises(Stop):
        score_dataset(lines, tmp_path / "out", scorer=scorer, progress=stop_after(25))
    journal = tmp_path / "out" / "_written.jsonl"
    first, second = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(first + second[:end])
    with pytest.raises(Stop):
        score_dataset(lines, tmp_path / "out", scorer=scorer, resume=True, progress=stop_after(35))
    assert "part-00001.parquet: checksum mismatch" in caplog.text
    assert "part-00000.parquet: checksum mismatch" not in caplog.text
    caplog.clear()
    assert score_dataset(lines, tmp_path / "out", scorer=scorer, resume=True).rows == 100
    assert "checksum mismatch" not in caplog.text
    assert content(tmp_path / "out") == content(tmp_path / "whole")


@any_kind
@pytest.mark.parametrize("when", [5, 100])
def test_files_of_others_in_the_folder_of_parts_stay(lines, tmp_path, scorer, when):
    diary = tmp_path / "out.parquet.parts" / "diary"

    def write(_done, _total):
        diary.mkdir(exist_ok=True)
        (diary / "page.txt").write_text("mine")
        if when == 5:
            raise Stop

    if when == 5:
        with pytest.raises(Stop):
            score_dataset(lines, tmp_path / "out.parquet", scorer=scorer, progress=write)
    else:
        score_dataset(lines, tmp_path / "out.parquet", scorer=scorer, progress=write)
    assert [path.name for path in diary.parent.iterdir()] == ["diary"]
    assert (diary / "page.txt").read_text() == "mine"


@any_kind
def test_a_folder_beside_a_whole_file_that_is_not_the_jobs_stays(lines, tmp_path, scorer):
    score_dataset(lines, tmp_path / "out.parquet", scorer=scorer)
    left = tmp_path / "out.parquet.parts"
    left.mkdir()
    (left / "part-00000.parquet").write_text("mine")
    with pytest.raises(PenpalError, match="the folder is not empty"):
        score_dataset(lines, tmp_path / "out.parquet", scorer=scorer, resume=True)
    (left / "part-00000.parquet").unlink()
    left.rmdir()
    score_dataset(min(lines.iterdir()), left, scorer=scorer)
    before = content(left)
    with pytest.raises(PenpalError, match="cannot resume the job that was started here"):
        score_dataset(lines, tmp_path / "out.parquet", scorer=scorer, resume=True)
    assert content(left) == before


@any_kind
def test_unfinished_files_of_others_stay(lines, tmp_path, scorer):
    (tmp_path / "out").mkdir()
    aside = tmp_path / "out" / f".penpal-{'0' * 16}.incomplete"
    aside.write_bytes(b"PAR1")
    with pytest.raises(PenpalError, match="the folder is not empty; choose another place"):
        score_dataset(lines, tmp_path / "out", scorer=scorer)
    assert aside.read_bytes() == b"PAR1"


@any_kind
def test_a_kill_while_the_job_was_noted_is_no_obstacle(lines, tmp_path, scorer):
    (tmp_path / "out").mkdir()
    aside = tmp_path / "out" / f".penpal-{'0' * 16}.incomplete"
    aside.write_bytes(b'{\n "complete": false,\n')
    assert score_dataset(lines, tmp_path / "out", scorer=scorer).rows == 100
    assert not aside.exists()


@any_kind
def test_a_folder_that_cannot_be_locked_is_not_called_busy(lines, tmp_path, scorer, monkeypatch):
    def fail(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", fail)
    with pytest.raises(PenpalError, match=r"cannot lock it: .*No locks available"):
        score_dataset(lines, tmp_path / "out", scorer=scorer)


def without_a_row(path):
    """What someone may do to an output with PyArrow, which keeps the metadata."""
    pq.write_table(pq.read_table(path).slice(1), path)


def filtered(path):
    filter_dataset(path, path.with_name("kept.parquet"), threshold=0)
    path.with_name("kept.parquet").replace(path)


@any_kind
@pytest.mark.parametrize("change", [without_a_row, filtered])
def test_a_changed_output_is_not_taken_for_the_jobs(lines, tmp_path, scorer, change):
    score_dataset(lines, tmp_path / "out.parquet", scorer=scorer)
    change(tmp_path / "out.parquet")
    with pytest.raises(PenpalError, match="cannot resume: this file exists already"):
        score_dataset(lines, tmp_path / "out.parquet", scorer=scorer, resume=True)


@any_kind
def test_two_processes_do_not_write_to_one_output(lines, tmp_path, scorer):
    def again(_done, _total):
        with pytest.raises(PenpalError, match="out: cannot write it: this process is writing it"):
            score_dataset(lines, tmp_path / "out", scorer=scorer, resume=True)

    assert score_dataset(lines, tmp_path / "out", scorer=scorer, progress=again).rows == 100


JOB = """
import sys, time
from pathlib import Path
from penpal_fast import score_dataset
from penpal_fast.jobs import parts
from penpal_fast.jobs.part_files import EncodedFile
from penpal_fast.jobs.summary import JobSummary
parts.PART_ROWS, parts.COPIED_GROUP_ROWS, parts.GROUP_ROWS = 500, 1, 200
lines, output, folder, wanted = sys.argv[1:]
def progress(_done, _total):
    if len(list(Path(folder).glob("part-*.parquet"))) >= int(wanted):
        print("ready", flush=True)
        time.sleep(600)
score_dataset(lines, output, resume=True, progress=progress)
"""
NEVER = 99


@pytest.mark.parametrize(
    ("output", "group_rows"), [("out.parquet", 500), ("out", 3000)], ids=["file, copied", "folder, encoded"]
)
def test_a_killed_job_is_resumed_to_the_same_bytes(tmp_path, output, group_rows):
    """It is killed when parts are complete; `hostile/adversary/kills.py` kills at any moment."""
    pq.write_table(pa.table({"strokes": column(ROWS * 60)}), tmp_path / "lines.parquet", row_group_size=group_rows)
    (tmp_path / "whole").mkdir()

    folder = tmp_path / (f"{output}.parts" if output.endswith(".parquet") else output)

    def start(target, wanted=NEVER):
        command = [sys.executable, "-c", JOB, tmp_path / "lines.parquet", target, folder, str(wanted)]
        return subprocess.Popen(command, stdout=subprocess.PIPE)

    def finish(target):
        with start(target) as process:
            assert process.wait(timeout=300) == 0

    finish(tmp_path / "whole" / output)
    for done in (1, 2, 3):
        with start(tmp_path / output, done) as process:
            assert process.stdout.readline() == b"ready\n"
            process.kill()
        assert process.returncode == -signal.SIGKILL
        assert done <= len(list(folder.glob("part-*.parquet"))) <= 6
        assert not json.loads((folder / "_manifest.json").read_text())["complete"]
    finish(tmp_path / output)
    assert content(tmp_path / output) == content(tmp_path / "whole" / output)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lines.parquet", output, "whole"]


FULL = """
import resource, sys
from penpal_fast.__main__ import main
resource.setrlimit(resource.RLIMIT_FSIZE, (6_000, resource.RLIM_INFINITY))
main()
"""


@pytest.mark.parametrize(("lines", "output"), [("copied", "out.parquet"), ("encoded", "out")], indirect=["lines"])
def test_a_file_that_may_not_grow(lines, tmp_path, output):
    command = [sys.executable, "-c", FULL, "score", str(lines), "-o", str(tmp_path / output)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1, done.stderr
    assert re.search("cannot write it: .*File too large", done.stderr)
    assert [path.name for path in tmp_path.iterdir()] == ["lines"]


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 64 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    if subprocess.run(command, capture_output=True).returncode != 0:
        pytest.skip("mounting a file system needs root")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)  # noqa: S607


@pytest.mark.parametrize("output", ["out.parquet", "out"])
def test_a_full_disk(tmp_path, small_disk, scorer, output, monkeypatch):
    pq.write_table(pa.table({"strokes": column(ROWS * 40)}), tmp_path / "lines.parquet", row_group_size=1000)
    with pytest.raises(PenpalError, match=r"cannot write it: .*(No space left on device|Errno 28)"):
        score_dataset(tmp_path / "lines.parquet", small_disk / output, scorer=scorer)
    if output == "out.parquet":  # The scores alone have room.
        assert [path.name for path in small_disk.iterdir()] == ["out.parquet.parts"]
        subprocess.run(["mount", "-o", "remount,size=1m", str(small_disk)], check=True)  # noqa: S607
        monkeypatch.setattr(scorer, "outcome", None)
        again = score_dataset(tmp_path / "lines.parquet", small_disk / output, scorer=scorer, resume=True)
        assert again.rows == len(ROWS) * 40
    else:
        assert list(small_disk.iterdir()) == []


@any_kind
def test_a_finished_file_with_a_flipped_bit_is_not_taken_for_done(lines, tmp_path, scorer):
    output = tmp_path / "out.parquet"
    score_dataset(lines, output, scorer=scorer)
    whole = output.read_bytes()
    for place in [*range(0, len(whole), len(whole) // 25), len(whole) - 9, len(whole) - 1]:
        content = bytearray(whole)
        content[place] ^= 4
        output.write_bytes(content)
        with pytest.raises(PenpalError, match="cannot resume: this file exists already"):
            score_dataset(lines, output, scorer=scorer, resume=True)
    output.write_bytes(whole[:-1])
    with pytest.raises(PenpalError, match="cannot resume: this file exists already"):
        score_dataset(lines, output, scorer=scorer, resume=True)
    output.write_bytes(whole)
    assert score_dataset(lines, output, scorer=scorer, resume=True).rows == 100
    content = bytearray(whole)
    content[len(whole) // 3] ^= 1
    output.write_bytes(content)
    with pytest.raises(PenpalError, match="this job wrote it, but it was changed or damaged since; remove it"):
        score_dataset(lines, output, scorer=scorer, resume=True)


@any_kind
def test_a_score_into_a_file_that_another_process_writes_is_refused_at_once(lines, tmp_path, scorer):
    output = tmp_path / "out.parquet"

    def again(_done, _total):
        for start in (score_dataset, filter_dataset):
            with pytest.raises(PenpalError, match=r"out.parquet: cannot write it: this process is writing it"):
                start(lines, output, scorer=scorer, progress=lambda *_: pytest.fail("work began"))

    assert score_dataset(lines, output, scorer=scorer, progress=again).rows == 100
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lines", "out.parquet"]


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="open files are listed in /proc")
def test_a_file_that_could_not_be_written_is_closed(tmp_path):
    """Its space on a full disk is free at once, and the disk can be unmounted."""
    rows = pa.record_batch({"text": [f"ink {row}" for row in range(10_000)]})
    file = EncodedFile(tmp_path / "out", rows.schema, 100_000, "out")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (6_000, before[1]))
    try:
        with pytest.raises(OSError, match="File too large"), file:
            file.add(rows)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert str(tmp_path / "out") not in [os.path.realpath(handle) for handle in Path("/proc/self/fd").iterdir()]
