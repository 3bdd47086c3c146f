"""Many synthetic lines, made in parts by several processes, so that a killed run can be resumed."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import json
import multiprocessing
import os
import shutil
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from penpal_fast.errors import PenpalError
from penpal_fast.files import checked_target, parts_folder, replaced_atomically, sha256_of
from penpal_fast.synthesis.generator import Generator
from penpal_fast.synthesis.plan import Plan, check_lengths, planned_part, writable_texts
from penpal_fast.synthesis.table import table_of
from penpal_fast.synthesis.texts import Text
from penpal_fast.synthesis.words import words_of_strokes

SAMPLING = 1
"""Part of the sampling's seed, which keeps it apart from the seed of planning."""

PLAN = b"penpal_fast.plan"
"""Key of the plan in the metadata of the Parquet file."""

BLAS_THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
"""Limits each process to one thread: in products this small, more threads mostly wait for each other."""


def synthesize(
    plan: Plan,
    texts: Sequence[Text],
    generator: Path,
    output: Path,
    *,
    resume: bool = False,
    processes: int | None = None,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> None:
    """Make the lines of a plan and write them as one Parquet file.

    Parts are kept in a folder beside the output until all are made. The lines depend only on the plan, the texts and
    the generator.

    Args:
        plan: How many lines of which kind.
        texts: The texts to write.
        generator: Weights of the generator.
        output: Parquet file to write.
        resume: Keep the parts that an earlier run left, if its plan, texts and generator were the same.
        processes: Number of processes; None for one for each processor.
        progress: Called with the rows made so far and the rows planned.

    Raises:
        PenpalError: The generator or the texts cannot be used, or the parts in the folder are from another run.
    """
    texts = writable_texts(texts, Generator(generator, backend="numpy"))
    check_lengths(plan, texts)
    output = checked_target(output)
    folder = parts_folder(output)
    _open_folder(folder, plan, texts, generator, resume=resume)
    missing = [part for part in range(plan.parts) if not _part(folder, part).exists()]
    rows_of_part = -(-plan.rows // plan.parts)

    def report(parts: int) -> None:
        progress(min(parts * rows_of_part, plan.rows), plan.rows)

    done = plan.parts - len(missing)
    report(done)
    with _workers(min(processes or os.cpu_count() or 1, max(len(missing), 1)), generator, plan, list(texts)) as pool:
        running = [pool.submit(_make_part, part, _part(folder, part)) for part in missing]
        try:
            for number, finished in enumerate(concurrent.futures.as_completed(running), done + 1):
                finished.result()
                report(number)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    with replaced_atomically(output) as aside:
        table = pa.concat_tables([pq.read_table(_part(folder, part)) for part in range(plan.parts)])
        table = table.replace_schema_metadata({**(table.schema.metadata or {}), PLAN: _plan_text(plan)})
        pq.write_table(table, aside, compression="zstd", use_dictionary=["text", "source", "corruption", "author"])
    shutil.rmtree(folder)


def is_made_by(plan: Plan, path: Path) -> bool:
    """Whether a Parquet file was made by a plan, whatever its texts and its generator."""
    return (pq.read_schema(path).metadata or {}).get(PLAN) == _plan_text(plan)


def _plan_text(plan: Plan) -> bytes:
    return json.dumps(dataclasses.asdict(plan), sort_keys=True).encode()


def _part(folder: Path, part: int) -> Path:
    return folder / f"part-{part:05}.parquet"


def _open_folder(folder: Path, plan: Plan, texts: Sequence[Text], generator: Path, *, resume: bool) -> None:
    """Make the folder of the parts, or check that its parts are from the same plan, texts and generator."""
    identity = json.dumps(
        {
            "plan": dataclasses.asdict(plan),
            "generator_sha256": sha256_of(generator),
            "texts": [[" ".join(text.words), text.source] for text in texts],
        }
    ).encode()
    record = folder / "job.json"
    if folder.exists() and not resume:
        raise PenpalError(f"{folder}: it holds parts of an earlier run: resume with --resume, or remove the folder")
    if record.exists():
        if record.read_bytes() != identity:
            raise PenpalError(
                f"{folder}: its parts are from another plan, other texts, another generator or another version of this "
                "package: use the settings of that run, or remove the folder"
            )
        return
    folder.mkdir(parents=True, exist_ok=True)
    with replaced_atomically(record) as aside:
        aside.write_bytes(identity)


def _workers(count: int, generator: Path, plan: Plan, texts: list[Text]) -> concurrent.futures.ProcessPoolExecutor:
    for name in BLAS_THREADS:
        os.environ.setdefault(name, "1")
    return concurrent.futures.ProcessPoolExecutor(
        count, multiprocessing.get_context("spawn"), _start_worker, (generator, plan, texts)
    )


class _Worker:
    """What a process keeps between parts."""

    generator: Generator
    plan: Plan
    texts: list[Text]


def _start_worker(generator: Path, plan: Plan, texts: list[Text]) -> None:
    _end_with_parent()
    _Worker.generator, _Worker.plan, _Worker.texts = Generator(generator, backend="numpy"), plan, texts


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
    generator, plan = _Worker.generator, _Worker.plan
    lines = planned_part(plan, part, _Worker.texts, len(generator.styles))
    writings = generator.write([line.request for line in lines], seed=[plan.seed, part, SAMPLING])
    words = [words_of_strokes(writing, line.request.text) for writing, line in zip(writings, lines, strict=True)]
    with replaced_atomically(path) as aside:
        pq.write_table(table_of(lines, words), aside, compression="zstd")
