"""Parts of synthetic lines, made by several processes in a folder, so that a killed run can be resumed."""

from __future__ import annotations

import concurrent.futures
import contextlib
import json
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any, Protocol

import pyarrow.parquet as pq

from penpal_fast.errors import PenpalError
from penpal_fast.files import replaced_atomically, sha256_of
from penpal_fast.synthesis.generator import Generator
from penpal_fast.synthesis.plan import Planned
from penpal_fast.synthesis.table import table_of
from penpal_fast.synthesis.texts import Text
from penpal_fast.synthesis.words import split_at_spaces

SAMPLING = 1
"""Part of the sampling's seed, which keeps it apart from the seed of planning."""

BLAS_THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
"""Limits each process to one thread: in products this small, more threads mostly wait for each other."""


class Planner(Protocol):
    """Plans the lines of parts. It is sent to other processes."""

    @property
    def seed(self) -> int:
        """Seed of the sampling."""

    def lines(self, part: int, generator: Generator) -> list[Planned]:
        """Plan the lines of a part, which do not depend on other parts."""


def part_paths(folder: Path, count: int) -> list[Path]:
    """Return the paths of the parts in a folder."""
    return [folder / f"part-{part:05}.parquet" for part in range(count)]


def open_folder(folder: Path, settings: dict[str, Any], texts: Sequence[Text], generator: Path) -> None:
    """Make the folder of the parts, or check that its parts are from the same settings, texts and generator.

    Raises:
        PenpalError: They are not.
    """
    identity = json.dumps(
        {
            **settings,
            "generator_sha256": sha256_of(generator),
            "texts": [[" ".join(text.words), text.source] for text in texts],
        }
    ).encode()
    record = folder / "job.json"
    if record.exists() or any(folder.glob("part-*.parquet")):
        if not record.exists() or record.read_bytes() != identity:
            raise PenpalError(
                f"{folder}: its parts are from another plan, other texts, another generator or another version of this "
                "package: use the settings of that run, or remove the folder"
            )
        return
    folder.mkdir(parents=True, exist_ok=True)
    with replaced_atomically(record) as aside:
        aside.write_bytes(identity)


def make_parts(
    planner: Planner, generator: Path, paths: Sequence[Path], processes: int, report: Callable[[int], None]
) -> None:
    """Make the parts that do not exist yet.

    Args:
        planner: Plans their lines.
        generator: Weights of the generator.
        paths: The paths of all parts.
        processes: Maximum number of processes.
        report: Called with the number of parts that exist, at first and after each.
    """
    missing = [part for part, path in enumerate(paths) if not path.exists()]
    done = len(paths) - len(missing)
    report(done)
    if not missing:
        return
    others = set(multiprocessing.active_children())
    with _workers(min(processes, len(missing)), planner, generator) as pool:
        try:
            with _interrupts_blocked():
                running = [pool.submit(_make_part, part, paths[part]) for part in missing]
            for number, finished in enumerate(concurrent.futures.as_completed(running), done + 1):
                finished.result()
                report(number)
        except BaseException as error:
            pool.shutdown(wait=False, cancel_futures=True)
            workers = set(multiprocessing.active_children()) - others
            for worker in workers:
                worker.terminate()  # A part takes up to a minute.
            for worker in workers:
                worker.join()
            if isinstance(error, BrokenProcessPool):
                raise PenpalError(
                    f"{paths[0].parent}: a process that makes lines ended, perhaps killed as memory ran out; resume "
                    "with fewer processes"
                ) from error
            raise


@contextlib.contextmanager
def _interrupts_blocked() -> Iterator[None]:
    """Let processes start for which Ctrl-C, which reaches all processes of a terminal, does nothing; the parent ends
    them."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _workers(count: int, planner: Planner, generator: Path) -> concurrent.futures.ProcessPoolExecutor:
    for name in BLAS_THREADS:
        os.environ.setdefault(name, "1")
    return concurrent.futures.ProcessPoolExecutor(
        count, multiprocessing.get_context("spawn"), _start_worker, (planner, generator)
    )


class _Worker:
    """What a process keeps between parts."""

    planner: Planner
    generator: Generator


def _start_worker(planner: Planner, generator: Path) -> None:
    _end_with_parent()
    _Worker.planner, _Worker.generator = planner, Generator(generator, backend="numpy")


def _end_with_parent() -> None:
    """End this process when its parent ends, even if that was killed; the pool's processes would stay."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def wait() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait, name="penpal-parent", daemon=True).start()


def _make_part(part: int, path: Path) -> None:
    planner, generator = _Worker.planner, _Worker.generator
    lines = planner.lines(part, generator)
    writings = generator.write([line.request for line in lines], seed=[planner.seed, part, SAMPLING])
    words = [split_at_spaces(writing, line.request.text) for writing, line in zip(writings, lines, strict=True)]
    with replaced_atomically(path) as aside:
        pq.write_table(table_of(lines, words), aside, compression="zstd")
