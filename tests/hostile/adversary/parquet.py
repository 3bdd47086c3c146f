"""Parquet files with damage anywhere: a reason that names the file, or the scores of the rows that PyArrow reads."""

from __future__ import annotations

import functools
import math
import random
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from hostile.adversary.material import GOOD, damaged, names, scorer, small_parts, write_parquet
from penpal_fast import PenpalError, filter_dataset, score_dataset
from penpal_fast.look.scored_file import ScoredFile


def trial(chance: random.Random, folder: Path) -> None:
    """Damage a file some times, each time anew."""
    whole = _files()[chance.randrange(len(_files()))]
    for number in range(5):
        place = folder / str(number)
        place.mkdir()
        path = place / "lines.parquet"
        path.write_bytes(damaged(whole, chance))
        _score(path)
        _look(path)
        for output in place.glob("out*"):
            output.unlink()
        assert names(place) == ["lines.parquet"]


@functools.cache
def _files() -> list[bytes]:
    """Files of all kinds, whose pages have checksums: without, a damaged page may be another page."""
    contents = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "lines.parquet"
        for group_rows in (10, 40):
            for settings in ({}, {"compression": "NONE", "use_dictionary": False}, {"data_page_version": "2.0"}):
                write_parquet(path, GOOD, group_rows, write_page_checksum=True, **settings)
                contents.append(path.read_bytes())
    return contents


def _score(path: Path) -> None:
    output = path.with_name("out.parquet")
    with small_parts():
        try:
            summary = score_dataset(path, output, scorer=scorer())
        except PenpalError as error:
            assert path.name in str(error), error
            assert not output.exists()
            return
    written = pq.read_table(output)
    assert written.num_rows == summary.rows
    given = pq.read_table(path, page_checksum_verification=True)
    assert given.num_rows == summary.rows
    expected = scorer().score(given["strokes"], errors="null")
    for score, alone in zip(written["quality"].to_pylist(), expected, strict=True):
        assert score == alone or (score is None and math.isnan(alone))


def _look(path: Path) -> None:
    """Read the file as the commands do that look at scores."""
    for read in (
        lambda: filter_dataset(path, path.with_name("out2.parquet"), threshold=0.2, scorer=scorer()),
        lambda: list(ScoredFile(path).batches()),
    ):
        try:
            read()
        except PenpalError as error:
            assert path.name in str(error), error
        except pa.ArrowException as error:
            raise AssertionError(f"no reason that a user understands: {error}") from error
