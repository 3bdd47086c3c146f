"""Many processes write one output, some fail, some are killed: whoever looks finds a whole file."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from helpers.alarm import within
from helpers.interruption import Stop
from helpers.processes import started
from penpal_fast import PenpalError
from penpal_fast.files import replaced_atomically
from penpal_fast.jobs.folder import JobFolder
from penpal_fast.jobs.parts import Part
from penpal_fast.locks import locked

SECONDS = float(os.environ.get("HOSTILE_SECONDS", "3"))
SIZE = 1 << 16

WRITER = """
import random, sys
from pathlib import Path
from penpal_fast import PenpalError
from penpal_fast.files import replaced_atomically
target, chance = Path(sys.argv[1]), random.Random(int(sys.argv[2]))
print("ready", flush=True)
while True:
    try:
        with replaced_atomically(target) as aside:
            aside.write_bytes(bytes([chance.randrange(256)]) * (1 << 16))
            if chance.random() < 0.3:
                raise KeyError
    except KeyError:
        pass
    except PenpalError as error:
        assert " is writing it" in str(error), error
"""


def test_an_output_is_never_anything_but_whole(tmp_path):
    target, seen = tmp_path / "out", set()
    target.write_bytes(b"\0" * SIZE)
    writers = started(WRITER, *([target, seed] for seed in range(4)))
    try:
        for writer in writers[:3]:
            begun = time.monotonic()
            # On a busy disk, each content takes long.
            while time.monotonic() < begun + SECONDS / 3 or (len(seen) <= 5 and time.monotonic() < begun + 120):
                content = target.read_bytes()
                assert len(content) == SIZE
                assert len(set(content)) == 1
                seen.add(content[0])
            assert writer.poll() is None
            writer.kill()
    finally:
        for process in writers:
            process.kill()
            process.communicate()
    assert len(seen) > 5
    with replaced_atomically(target) as aside:
        aside.write_bytes(b"last")
    assert list(tmp_path.iterdir()) == [target]
    assert target.read_bytes() == b"last"


HOLDING = """
import sys, time
from pathlib import Path
from penpal_fast.files import replaced_atomically
with replaced_atomically(Path(sys.argv[1])) as aside:
    print("ready", flush=True)
    time.sleep(600)
"""


def test_what_killed_writers_left_is_removed(tmp_path):
    target = tmp_path / "out"
    for _ in range(2):
        (process,) = started(HOLDING, [target])
        with (
            pytest.raises(PenpalError, match=rf"cannot write it: another process \({process.pid}\) is writing it"),
            replaced_atomically(target),
        ):
            pass
        process.kill()
        process.communicate()
        assert len(list(tmp_path.iterdir())) == 2
    with replaced_atomically(target) as aside:
        aside.write_bytes(b"last")
    assert list(tmp_path.iterdir()) == [target]


PLANTED = {
    "a link": lambda path, mine: path.symlink_to(mine),
    "a link to nothing": lambda path, mine: path.symlink_to(mine.with_name("nothing")),
    "another name of a file": lambda path, mine: path.hardlink_to(mine),
    "a file": lambda path, _mine: path.write_text("mine"),
    "a pipe": lambda path, _mine: os.mkfifo(path),
    "a folder": lambda path, _mine: path.mkdir(),
    "a loop": lambda path, _mine: path.symlink_to(path.name),
}


@pytest.mark.parametrize("plant", PLANTED.values(), ids=PLANTED)
def test_what_is_planted_where_a_lock_will_be_is_not_touched(tmp_path, plant):
    """The name of a lock can be predicted, as others must find it; that of an incomplete file cannot."""
    target, mine = tmp_path / "out", tmp_path / "mine"
    mine.write_text("mine")
    with replaced_atomically(target):
        (lock,) = tmp_path.glob("*.lock")
    plant(lock, mine)
    before = sorted(tmp_path.iterdir())
    with within(20), pytest.raises(PenpalError, match=r"out: cannot write it: .*\.lock"), replaced_atomically(target):
        pass
    assert sorted(tmp_path.iterdir()) == before
    assert mine.read_text() == "mine"


def test_names_of_incomplete_files_cannot_be_predicted(tmp_path):
    names = set()
    for _ in range(20):
        with replaced_atomically(tmp_path / "out") as aside:
            names.add(aside.name)
    assert len(names) == 20


def test_a_kill_while_another_kill_is_mended_leaves_nothing(tmp_path, monkeypatch):
    """What a killed writer left is gone before its note is, which alone names it."""
    target, truncate = tmp_path / "out", os.truncate
    (process,) = started(HOLDING, [target])
    process.kill()
    process.communicate()
    (left,) = tmp_path.glob("*.incomplete")
    seen = []

    def killed(handle, length):
        seen.append(left.exists())
        truncate(handle, length)

    monkeypatch.setattr("os.truncate", killed)
    with replaced_atomically(target) as aside:
        aside.write_bytes(b"last")
    assert seen == [False]
    assert list(tmp_path.iterdir()) == [target]


def in_threads(work, count=6):
    """Do work in several threads, and raise what any of them raised."""
    errors = []

    def run():
        try:
            work()
        except BaseException as error:  # noqa: BLE001
            errors.append(error)

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


@contextlib.contextmanager
def alone(path):
    """Fail if another is within such a block too."""
    os.close(os.open(path, os.O_CREAT | os.O_EXCL))
    try:
        yield
    finally:
        path.unlink()


def test_a_lock_that_comes_and_goes_has_one_holder(tmp_path):
    def work():
        for _ in range(40):
            with locked(tmp_path / "lock", tmp_path, wait=60), alone(tmp_path / "held"):
                pass

    in_threads(work)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_comes_and_goes_has_one_job(tmp_path, monkeypatch):
    monkeypatch.setattr("os.fsync", lambda _handle: None)  # More rounds.
    parts = [Part(0, 0, 0, 0)]
    done = []

    def work():
        folder, begun = JobFolder(tmp_path / "out", {}, parts), time.monotonic()
        while len(done) < 150 and time.monotonic() < begun + (SECONDS if len(done) > 20 else 120):
            try:
                # The error removes the folder, while others are about to lock it.
                with folder.opened(resume=True), alone(tmp_path / "held"):
                    raise Stop
            except Stop:
                done.append(1)
            except PenpalError as error:
                assert " is writing it" in str(error)

    in_threads(work, 3)
    assert len(done) > 20
    assert not (tmp_path / "held").exists()


def test_a_folder_that_is_gone_as_soon_as_it_is_there_is_made(tmp_path, monkeypatch):
    usual, calls = Path.mkdir, []

    def mkdir(self, *arguments, **options):
        calls.append(self)
        if len(calls) == 1:  # Another job made it and removes it.
            raise FileExistsError(self)
        usual(self, *arguments, **options)

    monkeypatch.setattr(Path, "mkdir", mkdir)
    with JobFolder(tmp_path / "out", {}, [Part(0, 0, 0, 0)]).opened(resume=False):
        assert (tmp_path / "out").is_dir()
    assert len(calls) == 2


ADDING = """
import sys
from pathlib import Path
from penpal_fast.look.serve import drawn_file
drawn_file.WAIT = 600  # Who waits has no turn, and a busy disk is slow.
drawn = drawn_file.DrawnFile(Path(sys.argv[1]))
print("ready", flush=True)
for number in range(20):
    drawn.add([[[0, 0], [number, 1]]], f"{sys.argv[2]} {number}")
"""


def test_all_rows_that_several_servers_save_are_kept(tmp_path):
    pytest.importorskip("starlette")
    target = tmp_path / "drawn.parquet"
    servers = started(ADDING, *([target, name] for name in "ab"))
    most = 0
    while any(process.poll() is None for process in servers):
        if target.exists():
            rows = pq.read_metadata(target).num_rows
            assert rows >= most
            most = rows
    assert [process.wait() for process in servers] == [0, 0]
    for process in servers:
        process.communicate()
    texts = pq.read_table(target)["text"].to_pylist()
    assert sorted(texts) == sorted(f"{name} {number}" for name in "ab" for number in range(20))
    assert [text for text in texts if text[0] == "a"] == [f"a {number}" for number in range(20)]
    assert list(tmp_path.iterdir()) == [target]
