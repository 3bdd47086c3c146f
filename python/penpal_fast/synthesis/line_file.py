"""Many synthetic lines as one Parquet file."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from penpal_fast.errors import PenpalError
from penpal_fast.files import appears_whole, checked_target, parts_folder, reserved, sha256_of
from penpal_fast.progress import Progress, no_progress
from penpal_fast.synthesis.generator import Generator
from penpal_fast.synthesis.parts import make_parts, open_folder, part_paths
from penpal_fast.synthesis.plan import Plan, Planned, check_lengths, planned_part, writable_texts
from penpal_fast.synthesis.texts import Text

PLAN = b"penpal_fast.plan"
"""Key of the plan in the metadata of the Parquet file."""

MADE_FROM = b"penpal_fast.made_from"
"""Key of the checksums of the texts and the generator there."""


@dataclasses.dataclass(frozen=True)
class PlannedLines:
    """The lines of a plan; see `Planner`."""

    plan: Plan
    texts: Sequence[Text]

    @property
    def seed(self) -> int:
        """Seed of the sampling."""
        return self.plan.seed

    def lines(self, part: int, generator: Generator) -> list[Planned]:
        """Plan the lines of a part."""
        return planned_part(self.plan, part, self.texts, len(generator.styles))


def synthesize(
    plan: Plan,
    texts: Sequence[Text],
    generator: Path,
    output: Path,
    *,
    resume: bool = False,
    processes: int | None = None,
    progress: Progress = no_progress,
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
    given, texts = texts, writable_texts(texts, Generator(generator, backend="numpy"))
    about = {PLAN: _plan_text(plan), MADE_FROM: json.dumps(_checksums(given, generator)).encode()}
    check_lengths(plan, texts)
    output = checked_target(output)
    folder = parts_folder(output)
    rows_of_part = -(-plan.rows // plan.parts)

    def report(parts: int) -> None:
        progress(min(parts * rows_of_part, plan.rows), plan.rows)

    with reserved(output) as aside:
        if folder.exists() and not resume:
            raise PenpalError(f"{folder}: it holds parts of an earlier run: resume with --resume, or remove the folder")
        open_folder(folder, {"plan": dataclasses.asdict(plan)}, texts, generator)
        paths = part_paths(folder, plan.parts)
        make_parts(PlannedLines(plan, list(texts)), generator, paths, processes or os.cpu_count() or 1, report)
        with appears_whole(output, aside):
            table = pa.concat_tables([pq.read_table(path) for path in paths])
            table = table.replace_schema_metadata({**(table.schema.metadata or {}), **about})
            pq.write_table(table, aside, compression="zstd", use_dictionary=["text", "source", "corruption", "author"])
        shutil.rmtree(folder)


def check_made(path: Path, plan: Plan, texts: Sequence[Text], generator: Path | None) -> None:
    """Make sure that a Parquet file was made by a plan from texts, and by a generator if one is given.

    Files of earlier versions do not say what they were made from.

    Raises:
        PenpalError: It was not.
    """
    noted = pq.read_schema(path).metadata or {}
    others = [] if noted.get(PLAN) == _plan_text(plan) else ["plan"]
    checksums = json.loads(noted.get(MADE_FROM, b"{}"))
    others += [what for what, one in _checksums(texts, generator).items() if checksums.get(what, one) != one]
    if others:
        raise PenpalError(
            f"{path}: it was made with another {others[0]}: use that of the earlier run, remove the file, or choose "
            "another folder"
        )


def _checksums(texts: Sequence[Text], generator: Path | None) -> dict[str, str]:
    said = json.dumps([[text.words, text.source] for text in texts])
    found = {"set of texts": hashlib.sha256(said.encode()).hexdigest()}
    return found if generator is None else {**found, "generator": sha256_of(generator)}


def _plan_text(plan: Plan) -> bytes:
    return json.dumps(dataclasses.asdict(plan), sort_keys=True).encode()
