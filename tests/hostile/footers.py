"""Scores a Parquet file many times, each time with a footer that is damaged at random.

    PYTHONPATH=tests python tests/hostile/footers.py LINES.parquet [COUNT]

Each run must end with a PenpalError or a file that can be read.
"""

from __future__ import annotations

import random
import sys
import tempfile
from pathlib import Path

import pyarrow.parquet as pq

from helpers.compact_thrift import varint_bytes
from penpal_fast import PenpalError, Scorer, _core, score_dataset
from penpal_fast.jobs import parts

NUMBERS = [
    varint_bytes(value) for value in (0, 1, 127, 2**14, 2**31 - 1, 2**32 - 2, 2**32, 2**63 - 1, 2**64 - 2, 2**64 - 1)
]


def damaged(content: bytes, seed: int) -> bytes:
    """Change some bytes of a file's footer, or its stated length."""
    chance = random.Random(seed)
    length = int.from_bytes(content[-8:-4], "little")
    footer = bytearray(content[-8 - length : -8])
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        place = chance.randrange(len(footer))
        change = chance.choice((_flip, _number, _cut, _repeat))
        change(footer, place, chance)
    length = len(footer) if chance.random() < 0.97 else chance.choice((0, len(content) - 8, len(content), 2**32 - 1))
    return content[: -8 - length] + bytes(footer) + length.to_bytes(4, "little") + b"PAR1"


def _flip(footer: bytearray, place: int, chance: random.Random) -> None:
    footer[place] ^= chance.choice((1, 2, 16, 128, 255))


def _number(footer: bytearray, place: int, chance: random.Random) -> None:
    footer[place : place + chance.randrange(1, 4)] = chance.choice(NUMBERS)


def _cut(footer: bytearray, place: int, chance: random.Random) -> None:
    del footer[place : place + chance.randrange(1, 4)]


def _repeat(footer: bytearray, place: int, chance: random.Random) -> None:
    footer[place:place] = footer[place : place + chance.randrange(1, 30)]


def run(lines: Path, count: int, folder: Path) -> dict[str, int]:
    """Return how many damaged files were refused, and how many scored."""
    parts.COPIED_GROUP_ROWS = 1
    scorer = Scorer(threads=1)
    content = lines.read_bytes()
    path, output = folder / "damaged.parquet", folder / "out.parquet"
    done = {"refused": 0, "scored": 0}
    for seed in range(count):
        sys.stderr.write(f"{seed}\r")
        path.write_bytes(damaged(content, seed))
        try:
            score_dataset(path, output, scorer=scorer)
        except PenpalError:
            done["refused"] += 1
        else:
            pq.read_table(output)
            done["scored"] += 1
        for splice in (_core.concatenate, _with_itself):
            try:
                splice([str(path)], str(output))
            except (PenpalError, OSError):
                continue
        output.unlink(missing_ok=True)
    return done


def _with_itself(files: list[str], output: str) -> None:
    _core.append_columns([(files[0], 0, 1, files[0])], [], output)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        print(run(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 10_000, Path(folder)))  # noqa: T201
