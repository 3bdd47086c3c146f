"""The reader: what rows of pen strokes say, whether they say their texts, and where they do not."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import os
from typing import Any, NoReturn, TypeAlias

import numpy as np
from numpy.typing import NDArray

from penpal_fast import _core
from penpal_fast._core import Rows
from penpal_fast.engines.settings import Backend, Errors, check_errors, takes_mlx
from penpal_fast.errors import PenpalError, row_error
from penpal_fast.frames import row_of, rows_of
from penpal_fast.network.weights import fingerprint
from penpal_fast.reading.alphabet import Texts, decode, encode, encode_texts
from penpal_fast.reading.engine import ReadingEngine, Readings
from penpal_fast.reading.given_texts import listed_texts, plain_text
from penpal_fast.reading.native import NativeReadingEngine, native_reader
from penpal_fast.reading.scores import match, readability, reading_doubts, text_doubts
from penpal_fast.reading.weights import load
from penpal_fast.rendering import checked_threads
from penpal_fast.schema import nulls_as_strokes
from penpal_fast.strokes import words_of

ReaderSource: TypeAlias = "str | os.PathLike[str] | None"

MISFIT = 0.1
"""A letter with a lower fit does not fit the ink."""


@dataclasses.dataclass(frozen=True)
class Span:
    """A piece of a stroke.

    Attributes:
        stroke: The stroke, counted from 0 over all words of the row.
        start: Where the piece begins in the stroke, in points; 2.5 is halfway between the points 2 and 3.
        end: Where it ends, not before its start; a dot starts and ends at 0.
    """

    stroke: int
    start: float
    end: float


@dataclasses.dataclass(frozen=True)
class Letter:
    """A letter of a text, and the ink that should say it.

    Attributes:
        letter: The letter as it stands in the text.
        position: Its index in the text.
        fit: From 0 to 1, the likelihood of this letter by that of what the ink there seems to say; 1 where they are the
            same, low also where the ink has a letter that the text lacks.
        spans: The pieces of strokes where the letter is, in writing order; none where it is only a pause.
    """

    letter: str
    position: int
    fit: float
    spans: tuple[Span, ...]

    @property
    def fits(self) -> bool:
        """Whether the ink says this letter, as far as the reader can tell."""
        return self.fit >= MISFIT


@dataclasses.dataclass(frozen=True)
class ReadOutcome:
    """All that a reader finds in rows.

    Attributes:
        match: float32 [N] in [0, 1], whether each row says its text; NaN for a bad row and without a text that can be
            compared.
        readability: float32 [N] in [0, 1], how surely each row says anything; NaN for a bad row.
        readings: What each row seems to say, None for a bad row.
        problems: What is wrong with the bad rows, by their index.
        text_problems: Why other rows have no match, by their index.
    """

    match: NDArray[np.float32]
    readability: NDArray[np.float32]
    readings: list[str | None]
    problems: dict[int, str]
    text_problems: dict[int, str]


class Reader:
    """Reads rows of pen strokes along the path of the pen.

    A reader may be used from several threads.
    """

    def __init__(
        self,
        model: ReaderSource = None,
        *,
        backend: Backend = "auto",
        threads: int | None = None,
        batch_size: int | None = None,
    ) -> None:
        """Make a reader.

        Args:
            model: A folder with `config.json` and `weights.safetensors`, or the id of a Hugging Face repository with
                these files; None for the reader in this package.
            backend: Engine that runs the network: "mlx"; "native", in Rust on the processor; or "auto": MLX if there is
                a GPU that works, and otherwise native. They agree within 1e-3 on log-probabilities.
            threads: Number of threads; None for one for each processor.
            batch_size: Rows that go through MLX at a time; None for what suits the device. The native engine has no
                batches.

        Raises:
            PenpalError: The model cannot be loaded or a setting is out of range.
        """
        uses_mlx = takes_mlx(backend, batch_size)
        count = checked_threads(threads)
        self._config, self._tensors = load(model)
        self._fingerprint = fingerprint(self._config.to_json(), self._tensors)
        self._batch_size = batch_size
        self._engine: ReadingEngine
        if uses_mlx:
            from penpal_fast.engines.mlx_thread import run_on_mlx_thread
            from penpal_fast.reading.mlx import MlxReadingEngine
            from penpal_fast.reading.model import ReaderNetwork

            self._backend = "mlx"
            network = run_on_mlx_thread(lambda: ReaderNetwork.from_tensors(self._config, self._tensors))
            self._engine = MlxReadingEngine(network, threads=count, batch_size=batch_size)
        else:
            self._backend = "native"
            self._engine = NativeReadingEngine(self._config, self._tensors, threads=count)

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled or copied.

        Raises:
            TypeError: Always; it says what to do.
        """
        raise TypeError(
            "a Reader cannot be pickled or copied; make one in each process, or use ArrowScorer(reader=model)"
        )

    @property
    def letters(self) -> str:
        """The alphabet: all letters that this reader knows."""
        return self._config.letters

    @property
    def identity(self) -> dict[str, Any]:
        """What the scores depend on: the model's fingerprint, the engine and the batch size."""
        batch_size = self._batch_size if self._backend == "mlx" else None
        return {"model": self._fingerprint, "backend": self._backend, "batch_size": batch_size}

    def read(self, rows: Any, *, errors: Errors = "raise", column: str = "strokes") -> list[Any]:
        """Read rows.

        Args:
            rows: Sequence of rows, or an Arrow array, chunked array, record batch or table; a data frame or Hugging
                Face dataset.
            errors: What to do with a bad row: "raise", or "null" for None.
            column: Name of the strokes column of a record batch or table.

        Returns:
            What the ink of each row seems to say, in the letters of the alphabet; "" where it says nothing.

        Raises:
            PenpalError: A row is bad and `errors` is "raise"; the error names the first one.
        """
        readings = self._readings(rows, None, errors, column)
        return self._texts_of(readings)

    def match(self, rows: Any, texts: Any, *, errors: Errors = "raise", column: str = "strokes") -> NDArray[np.float32]:
        """Say whether rows say their texts.

        Curly quotes, dashes, accents and no-break spaces are compared as their plain forms, and spaces at the ends are
        dropped. Letters outside the alphabet are left out of the comparison if they are at most a quarter of the text.

        Args:
            rows: Sequence of rows, or an Arrow array, chunked array, record batch or table.
            texts: The text of each row: a sequence or an Arrow array of strings.
            errors: What to do with a bad row, or a text that cannot be compared: "raise", or "null" for a match of NaN.
            column: Name of the strokes column of a record batch or table.

        Returns:
            float32 [N] in [0, 1], where 0.5 keeps 95 % of clean generated lines.

        Raises:
            PenpalError: A row is bad, or its text null, empty or in letters that the reader does not know, and
                `errors` is "raise"; or there are not as many texts as rows.
        """
        given = Rows(nulls_as_strokes(rows_of(rows, column)), column)
        encoded = self._encoded(texts, len(given))
        readings = self._readings(given, encoded, errors, column)
        if encoded.problems and errors == "raise":
            row, problem = min(encoded.problems.items())
            raise row_error(row, None, problem.partition(":")[0], problem)
        return self._match(readings, encoded)

    def readability(self, rows: Any, *, errors: Errors = "raise", column: str = "strokes") -> NDArray[np.float32]:
        """Say how surely rows say anything, whatever it is; the arguments are those of `read`.

        Returns:
            float32 [N] in [0, 1], where 0.5 keeps 95 % of clean generated lines.

        Raises:
            PenpalError: A row is bad and `errors` is "raise"; the error names the first one.
        """
        return self._readability(self._readings(rows, None, errors, column))

    def align(self, row: Any, text: str) -> list[Letter]:
        """Find each letter of a text in the ink of a row.

        Args:
            row: One row: words of strokes or strokes, in any layout that `read` takes; or a record with these in
                `strokes`.
            text: What the row should say.

        Returns:
            A letter for each that can be compared, in the order of the text; each is where the likeliest way of writing
            the text has it. None at all where the ink is too short for the text.

        Raises:
            PenpalError: The row is bad, or the text is empty or in letters that the reader does not know.
        """
        text = plain_text(text)
        if not isinstance(text, str):
            raise PenpalError(f"the text must be a string, got {type(text).__name__}")
        row = row_of(row)
        encoded = encode(text, self.letters)
        if encoded.problem:
            raise PenpalError(encoded.problem, reason=encoded.problem.partition(":")[0])
        rows = Rows([row])
        aligned = self._aligning.align(rows, 0, np.array(encoded.codes, np.uint16))
        _, strokes, positions = _core.path(rows, 0)
        samples = int(np.prod(self._config.stem_strides))
        last = len(words_of(row)[-1][-1]) - 1
        return [
            Letter(
                letter=text[position],
                position=position,
                fit=float(np.exp(-deficit)),
                spans=_spans(strokes, positions, first * samples, end * samples, last),
            )
            for position, (first, end, deficit) in zip(encoded.positions, aligned, strict=False)
        ]

    def outcome(self, rows: Any, texts: Any = None) -> ReadOutcome:
        """Read rows, compare them with their texts where these are given, and say what is wrong with each bad row.

        Args:
            rows: Sequence of rows, or an Arrow array or chunked array.
            texts: The text of each row: a sequence or an Arrow array of strings; None for no match.

        Raises:
            PenpalError: There are not as many texts as rows.
        """
        given = Rows(nulls_as_strokes(rows))
        encoded = self._encoded([None] * len(given) if texts is None else texts, len(given))
        readings = self._engine.read(given, encoded if texts is not None else None)
        problems = {row: problem for row, _, _, problem in readings.problems}
        texts_read: list[str | None] = list(self._texts_of(readings))
        return ReadOutcome(
            match=self._match(readings, encoded),
            readability=self._readability(readings),
            readings=[None if row in problems else text for row, text in enumerate(texts_read)],
            problems=problems,
            text_problems={row: text for row, text in encoded.problems.items() if row not in problems},
        )

    @functools.cached_property
    def _aligning(self) -> _core.Reader:
        """The reader in Rust, which aligns for all engines."""
        if isinstance(self._engine, NativeReadingEngine):
            return self._engine.reader
        return native_reader(self._config, self._tensors)

    def _readings(self, rows: Any, texts: Texts | None, errors: Errors, column: str) -> Readings:
        check_errors(errors)
        given = rows if isinstance(rows, Rows) else Rows(nulls_as_strokes(rows_of(rows, column)), column)
        readings = self._engine.read(given, texts)
        if readings.problems and errors == "raise":
            raise row_error(*readings.problems[0])
        return readings

    def _encoded(self, texts: Any, count: int) -> Texts:
        found = listed_texts(texts)
        if len(found) != count:
            raise PenpalError(f"{len(found)} texts for {count} rows; give one for each row")
        return encode_texts(found, self.letters)

    def _match(self, readings: Readings, texts: Texts) -> NDArray[np.float32]:
        letters = np.diff(texts.offsets)
        doubts = text_doubts(readings.text_losses, letters, readings.reading_losses, readings.misfits, self._config)
        return match(doubts, self._config)

    def _readability(self, readings: Readings) -> NDArray[np.float32]:
        return readability(reading_doubts(readings.reading_losses, np.diff(readings.offsets)), self._config)

    def _texts_of(self, readings: Readings) -> list[Any]:
        codes, offsets = readings.codes.tolist(), readings.offsets.tolist()
        bad = {row for row, *_ in readings.problems}
        return [
            None if row in bad else decode(codes[first:end], self.letters)
            for row, (first, end) in enumerate(itertools.pairwise(offsets))
        ]


@functools.cache
def default_reader() -> Reader:
    """Return the reader in this package, which is loaded at first use."""
    return Reader()


def _spans(
    strokes: NDArray[np.int64], positions: NDArray[np.float64], first: int, end: int, last: float
) -> tuple[Span, ...]:
    """Return the pieces of strokes from one sample of a path to another; `last` is where the last stroke ends."""
    end = min(end, len(strokes))
    spans = []
    while first < end:
        stroke = int(strokes[first])
        after = first + int(np.searchsorted(strokes[first:end], stroke, side="right"))
        # The last sample of a stroke is the lift, which begins where the stroke ends; the last stroke has none.
        ends_here = after < len(strokes) and strokes[after] != stroke
        stop = last if after == len(strokes) else positions[after - ends_here]
        if stop > positions[first] or positions[first] == 0:  # A dot has no length.
            spans.append(Span(stroke, float(positions[first]), float(stop)))
        first = after
    return tuple(spans)
