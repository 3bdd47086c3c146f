"""JSON lines of which some are damaged: the others keep their scores, and every line is a row."""

from __future__ import annotations

import gzip
import json
import random
import tempfile
from pathlib import Path

import pyarrow.parquet as pq

from helpers.arrow import strokes
from hostile.adversary.material import GOOD, any_row, damaged, good_scores, names, scorer
from penpal_fast import PenpalError, filter_dataset, score_dataset

VALUES = ["ink", "\ud800", 7, 10**30, 1e308, None, True, [], {}, [[1]], {"x": 1, "points": [[0, 0]]}, {"a": {"b": []}}]

NAMES = ["text", "id", "x", "points", "", "quality", "quality_error", "\u202e", "a.b", "list", "\x00"]


def trial(chance: random.Random, folder: Path) -> None:
    """Score and filter files of which some lines are damaged."""
    for number in range(4):
        place = folder / str(number)
        place.mkdir()
        _score(chance, place)


def _score(chance: random.Random, folder: Path) -> None:
    lines, expected = _lines(chance)
    path = folder / chance.choice(("lines.jsonl", "lines.jsonl.gz"))
    content = chance.choice((b"\n", b"\r\n")).join(lines)
    content = gzip.compress(content) if path.suffix == ".gz" else content
    is_spoilt = path.suffix == ".gz" and chance.random() < 0.3
    path.write_bytes(damaged(content, chance) if is_spoilt else content)
    output = folder / "out.parquet"
    try:
        summary = score_dataset(path, output, scorer=scorer())
    except PenpalError as error:
        assert is_spoilt or _is_unfit(lines, folder), error
        assert path.name in str(error), error
        assert names(folder) == [path.name]
        return
    if is_spoilt:
        return
    table = pq.read_table(output, columns=["quality", "quality_error"])
    assert summary.rows == len(table) == len(lines)
    quality, errors = (table[name].to_pylist() for name in ("quality", "quality_error"))
    for row, score in expected.items():
        assert (quality[row], errors[row]) == (score, None), (row, lines[row])
    assert all((score is None) == (error is not None) for score, error in zip(quality, errors, strict=True))
    kept = filter_dataset(output, folder / "kept.parquet", threshold=0.0)
    assert (kept.rows, kept.kept) == (len(lines), sum(score is not None for score in quality))


def _lines(chance: random.Random) -> tuple[list[bytes], dict[int, float]]:
    """Return lines, and the scores of those that are good."""
    made, expected = [], {}
    for number in range(chance.randrange(2, 30)):
        if chance.random() < 0.5:
            place = chance.randrange(len(GOOD))
            expected[number] = good_scores()[place]
            row = GOOD[place] if chance.random() < 0.5 else strokes(GOOD[place])
            made.append(json.dumps({"strokes": row, "id": number}).encode())
            continue
        line: bytes = json.dumps(_fields(chance), ensure_ascii=chance.random() < 0.5).encode(errors="surrogatepass")
        line = damaged(line, chance) if chance.random() < 0.7 else line
        line = line.replace(b"\n", b" ").replace(b"\r", b" ")
        made.append(line if line.strip() else b"7")
    # A byte order mark at the start of a file, or another encoding's, is no part of the first line.
    if not made[0].startswith(b"{") or b"\x00" in made[0][:4]:
        made[0] = b"{}"
    return made, expected


def _fields(chance: random.Random) -> dict[str, object]:
    fields = {chance.choice(NAMES): chance.choice(VALUES) for _ in range(chance.randrange(4))}
    row = chance.choice([any_row(chance), strokes(any_row(chance)), chance.choice(VALUES)])
    return {**fields, "strokes": row} if chance.random() < 0.9 else fields


def _is_unfit(lines: list[bytes], folder: Path) -> bool:
    """Whether a column is one that a check would write, or no line could be scored by itself."""
    return any(b'"qual' in line for line in lines) or not any(_is_scored(line, folder) for line in lines)


def _is_scored(line: bytes, folder: Path) -> bool:
    with tempfile.TemporaryDirectory(dir=folder) as alone:
        (Path(alone) / "line.jsonl").write_bytes(line)
        try:
            return bool(score_dataset(Path(alone) / "line.jsonl", Path(alone) / "out.parquet", scorer=scorer()).scored)
        except PenpalError:
            return False
