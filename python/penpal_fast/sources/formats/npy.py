"""NumPy's `.npy` and `.npz`: offsets, as `[T, 3]` or `[T, 5]` for one row, with N before it for many. Never pickled
objects.
"""

from __future__ import annotations

import contextlib
import dataclasses
import zipfile
from collections.abc import Iterator
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy_format
from numpy.typing import NDArray

from penpal_fast.errors import PenpalError, errors_about
from penpal_fast.layouts.known import OFFSETS, check_layout
from penpal_fast.layouts.offsets import (
    MANY_POINTS,
    MAX_NEGATIVE,
    MOSTLY_LIFTS,
    ORDINALS,
    Lifts,
    Offsets,
    Stroke5,
    without_padding,
    would_mostly_lift,
)
from penpal_fast.sources.formats.format import Content, Format, Options
from penpal_fast.sources.formats.ink import Ink, check_points, ink_content
from penpal_fast.sources.readable_file import ReadableFile
from penpal_fast.strokes import Strokes, strokes_from_offsets

MAX_TEXT_BYTES = 256 << 20
"""Maximum size of an array of texts or lengths, which is read at once."""

MAX_UNPACKED_BYTES = 4 << 30
"""Maximum size of an array in an archive, unpacked: a few kilobytes of archive can hold terabytes of zeros."""

ROWS = "[T, 3] or [N, T, 3], or as stroke-5 [T, 5] or [N, T, 5]"

SIZES = (3, 5)
"""Numbers of an offset: stroke-3 and Graves' offsets, or stroke-5."""

ORDERS = {"dx, dy, end of stroke": (0, 1, 2), "end of stroke, dx, dy": (1, 2, 0)}
"""Orders of the three numbers of an offset, and where dx, dy and the end of the stroke are."""


def array_header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Read the shape of an array, whether it is in Fortran's order, and its type.

    Raises:
        ValueError: The header is none of NumPy's.
    """
    try:
        version = npy_format.read_magic(file)
        read = npy_format.read_array_header_1_0 if version == (1, 0) else npy_format.read_array_header_2_0
        return read(file)
    except Exception as error:  # NumPy parses the header as Python, with all errors of Python's parser.
        raise ValueError(f"none of NumPy's: {error}") from error


@dataclasses.dataclass(frozen=True)
class _Array:
    """An array in a file: its header, which was compared with the number of bytes that follow it."""

    shape: tuple[int, ...]
    is_fortran: bool
    dtype: np.dtype[Any]

    @classmethod
    def read(cls, file: IO[bytes], size: int) -> _Array:
        """Read the header of an array of `size` bytes."""
        try:
            shape, is_fortran, dtype = array_header(file)
        except ValueError as error:
            raise PenpalError(f"its header is {error}") from error
        if dtype.hasobject:
            raise PenpalError(
                "it holds pickled Python objects, which are never loaded; save numbers: [T, 3] offsets of one row, "
                "[N, T, 3] of many, padded with zeros, or rows of any lengths with np.savez(file, *arrays); if you "
                "trust this file, load it with allow_pickle=True, and save its rows in that form"
            )
        count = 1
        for length in shape:
            count *= length
        if min(shape, default=0) < 0 or count * dtype.itemsize != size - file.tell():
            raise PenpalError(
                f"it says that its shape is {_shown(shape)} of {dtype}, which is not what its {size:,} bytes hold"
            )
        return cls(shape, is_fortran, dtype)

    @property
    def is_offsets(self) -> bool:
        return self.dtype.kind in "fiub" and len(self.shape) in (2, 3) and self.shape[-1] in SIZES

    def __str__(self) -> str:
        """Say what it is, and what its rows seem to be if they are no offsets."""
        hint = ""
        if self.dtype.kind in "fiub" and len(self.shape) in (2, 3):
            if self.shape[-1] == 2:
                hint = ", like points without a flag that is 1 where the pen lifts"
            elif self.shape[-2] in SIZES:
                hint = f", like offsets with the axes swapped: save numpy.swapaxes(array, {len(self.shape) - 2}, -1)"
        return f"{self.dtype} {_shown(self.shape)}{hint}"

    def rows(self, file: IO[bytes]) -> Iterator[NDArray[np.float64]]:
        """Yield the offsets of each row [T, 3] or [T, 5], as they are stored."""
        length, size = self.shape[-2:]
        check_points(length)
        count = self.shape[0] if len(self.shape) == 3 else 1
        if self.is_fortran and count > 1:
            raise PenpalError("it is in Fortran order; save numpy.ascontiguousarray of it")
        for _ in range(count):
            content = _read(file, length * size * self.dtype.itemsize)
            values = np.frombuffer(content, self.dtype)
            yield values.reshape((length, size), order="F" if self.is_fortran else "C").astype(np.float64)

    def whole(self, file: IO[bytes]) -> NDArray[Any]:
        """Read an array of texts or lengths."""
        size = self.dtype.itemsize * (self.shape[0] if self.shape else 1)
        if size > MAX_TEXT_BYTES:
            raise PenpalError(f"it has {size:,} bytes; at most {MAX_TEXT_BYTES:,} are read")
        return np.frombuffer(_read(file, size), self.dtype)


def _read(file: IO[bytes], size: int) -> bytes:
    content = file.read(size)
    if len(content) != size:
        raise EOFError
    return content


def _shown(shape: tuple[int, ...]) -> str:
    return f"[{', '.join(f'{length:,}' for length in shape)}]"


class _Reading:
    """Finds out how the offsets of an array are read: their flags are 0 or 1 in all rows."""

    def __init__(self, size: int, layout: str | None) -> None:
        """Begin with all that offsets of this many numbers may be; with a layout, with what it stands for."""
        check_layout(layout)
        self._layout = layout
        self._is_5, self._is_lifts = size == 5, layout == Lifts.name
        names = {Stroke5.name, Lifts.name} if self._is_5 else {*OFFSETS, Lifts.name}
        if layout is not None and layout not in names:
            raise PenpalError(f"its rows are offsets of {size} numbers; --layout {layout} (layout=) is for others")
        offsets = OFFSETS.get(layout or "offsets", OFFSETS["offsets-flag-last"])
        self._y_down = self._is_5 or self._is_lifts or (layout is not None and offsets[0].y_down)
        self._may_be = {list(ORDERS)[one.flag_first] for one in offsets}
        self._offered = tuple(self._may_be)
        self._flags = {0, 1, 2}
        self._longest, self._are_points = 0, True
        self._steps, self._lifts = 0, dict.fromkeys(ORDERS, 0)

    def look_at(self, offsets: NDArray[np.float64]) -> None:
        """Look at a row."""
        if self._is_5:
            flags = offsets[:, 2:]
            if not np.isin(flags[np.isfinite(flags)], (0, 1)).all():
                raise PenpalError(
                    "its rows of five numbers are no stroke-5 (dx, dy, pen down, pen up, end): the last three are not "
                    "0 or 1 everywhere"
                )
            self._note_signs(without_padding(offsets))
            return
        for name in tuple(self._may_be):
            ends = offsets[:, ORDERS[name][2]]
            if not np.isin(ends[np.isfinite(ends)], (0, 1)).all():
                self._may_be.discard(name)
        finite = np.isfinite(offsets).all(axis=1)
        self._flags -= {column for column in self._flags if not np.isin(offsets[finite, column], (0, 1)).all()}
        kept = without_padding(offsets)
        self._note_signs(kept)
        self._steps += len(kept)
        for name in self._may_be:
            self._lifts[name] += int((kept[:, ORDERS[name][2]] == 1).sum())

    def _note_signs(self, kept: NDArray[np.float64]) -> None:
        self._longest = max(self._longest, len(kept))
        self._are_points &= bool(((kept[:, :2] < 0).sum(axis=0) <= MAX_NEGATIVE * len(kept)).all())

    def check(self) -> None:
        """Make sure that rows can be read in one way only.

        Raises:
            PenpalError: They are no offsets, or may be read in several ways.
        """
        if self._is_5:
            if self._layout is None and self._are_points and self._longest >= MANY_POINTS:
                raise PenpalError(
                    "its rows of five numbers may be offsets (stroke-5) or points (x, y, pen down, pen up, end): "
                    "hardly any is negative; say which with --layout stroke-5 or --layout lifts (layout=)"
                )
            return
        if len(self._may_be) > 1:
            raise PenpalError(
                f"its rows of three numbers may be ({') or ('.join(ORDERS)}): both the first and the last are 0 or 1 "
                "everywhere; say which with --layout offsets-flag-last or --layout offsets-flag-first (layout=)"
            )
        if not self._may_be:
            raise PenpalError(self._lacking())
        (order,) = self._may_be
        if self._layout is None and would_mostly_lift(self._lifts[order], self._steps):
            raise PenpalError(MOSTLY_LIFTS)
        is_last = order == next(iter(ORDERS))
        if self._layout is None and is_last and self._are_points and self._longest >= MANY_POINTS:
            raise PenpalError(
                "its rows of three numbers may be offsets (dx, dy, end of stroke) or points (x, y, end of stroke): "
                "hardly any is negative; say which with --layout offsets-flag-last or --layout lifts (layout=)"
            )

    def _lacking(self) -> str:
        if len(self._flags) == 1:
            (index,) = self._flags
            return (
                f"its rows of three numbers are no offsets ({') or ('.join(self._offered)}), but the "
                f"{ORDINALS[index]} number looks like the end of a stroke; put the numbers into such an order"
            )
        return (
            f"its rows of three numbers are no offsets ({') or ('.join(ORDERS)}): neither the first nor the last is 0 "
            "or 1 everywhere"
        )

    @property
    def description(self) -> str:
        """What rows are read as, once they were looked at."""
        if self._is_lifts:
            return Lifts.description
        if self._is_5:
            return Stroke5.description
        is_first = next(iter(self._may_be)) != next(iter(ORDERS))
        return Offsets(flag_first=is_first, y_down=self._y_down).description

    def strokes(self, offsets: NDArray[np.float64]) -> Strokes:
        """Convert a row, without what it is padded with: zeros or NaN, or what follows the end of stroke-5."""
        if self._is_5 and len(ended := np.flatnonzero(offsets[:, 4] == 1)):
            offsets = offsets[: ended[0]]
        kept = without_padding(offsets)
        if not len(kept):
            return []
        if self._is_lifts:
            points = np.split(kept[:, :2], np.flatnonzero(kept[:, 3 if self._is_5 else 2] > 0.5) + 1)
            return [stroke for stroke in points if len(stroke)]
        columns = (0, 1, 3) if self._is_5 else ORDERS[next(iter(self._may_be))]
        strokes = strokes_from_offsets(kept[:, columns])
        return [stroke * (1.0, -1.0) for stroke in strokes] if self._y_down else strokes


class _Readings:
    """How the offsets of a file are read, by how many numbers they have: its arrays have one order."""

    def __init__(self, layout: str | None) -> None:
        self._layout = layout
        self._found: dict[int, _Reading] = {}

    def of(self, size: int) -> _Reading:
        if size not in self._found:
            self._found[size] = _Reading(size, self._layout)
        return self._found[size]

    def check(self) -> None:
        for reading in self._found.values():
            reading.check()

    @property
    def descriptions(self) -> tuple[str, ...]:
        return tuple(reading.description for reading in self._found.values())


def _open_npy(file: ReadableFile, options: Options) -> Content:
    def rows() -> Iterator[NDArray[np.float64]]:
        with file.open(in_order=True) as opened:
            array = _Array.read(opened, file.size)
            if not array.is_offsets:
                raise PenpalError(f"it is {array}; rows are offsets: {ROWS}")
            yield from array.rows(opened)

    readings = _Readings(options.layout)
    for offsets in rows():
        readings.of(offsets.shape[1]).look_at(offsets)
    readings.check()

    def ink() -> Iterator[Ink]:
        return (Ink(readings.of(offsets.shape[1]).strokes(offsets)) for offsets in rows())

    return ink_content(lambda _file, _options: ink(), readings.descriptions)(file, options)


class _Archive:
    """The arrays of an `.npz` file: offsets, and where there are any, their texts and lengths."""

    def __init__(self, file: ReadableFile, options: Options) -> None:
        self._file = file
        self._names: list[str] = []
        self._readings = _Readings(options.layout)
        rows = 0
        others: dict[str, NDArray[Any]] = {}
        with self._opened() as archive:
            for name in archive.namelist():
                with self._array(archive, name) as (array, member):
                    if array.is_offsets:
                        rows += array.shape[0] if len(array.shape) == 3 else 1
                        self._names.append(name)
                        reading = self._readings.of(array.shape[-1])
                        for offsets in array.rows(member):
                            reading.look_at(offsets)
                    elif array.dtype.kind in "USiu" and len(array.shape) <= 1:
                        others[name] = array.whole(member)
                    else:
                        raise PenpalError(f"it is {array}; rows are offsets: {ROWS}; leave the others out")
        if not self._names:
            raise PenpalError(f"there are no offsets in it: no array is {ROWS}")
        self._readings.check()
        self.read_as = self._readings.descriptions
        self._texts: list[str | None] = [None] * rows
        self._lengths: list[int | None] = [None] * rows
        for name, values in others.items():
            with errors_about(_key(name)):
                self._take(name, values, rows)

    def _take(self, name: str, values: NDArray[Any], rows: int) -> None:
        """Take texts or lengths."""
        if len(values) != rows:
            raise PenpalError(f"it has {len(values):,} values for {rows:,} rows; leave it out")
        if values.dtype.kind in "US":
            if any(self._texts):
                raise PenpalError("there is another array of texts; leave one of them out")
            self._texts = [one.decode() if isinstance(one, bytes) else str(one) for one in values]
        elif "len" in name.lower():
            self._lengths = [int(one) for one in values]
        else:
            raise PenpalError("these numbers are no offsets; leave them out, or put 'len' into the name of lengths")

    def rows(self) -> Iterator[Ink]:
        row = 0
        with self._opened() as archive:
            for name in self._names:
                with self._array(archive, name) as (array, member):
                    for offsets in array.rows(member):
                        length = self._lengths[row]
                        kept = offsets if length is None else offsets[: max(length, 0)]
                        strokes = self._readings.of(kept.shape[1]).strokes(kept)
                        yield Ink(strokes, self._texts[row], _key(name))
                        row += 1

    @contextlib.contextmanager
    def _opened(self) -> Iterator[zipfile.ZipFile]:
        with self._file.open(in_order=False) as opened, zipfile.ZipFile(opened) as archive:
            yield archive

    @contextlib.contextmanager
    def _array(self, archive: zipfile.ZipFile, name: str) -> Iterator[tuple[_Array, IO[bytes]]]:
        try:
            with errors_about(_key(name)), archive.open(name) as member:
                size = archive.getinfo(name).file_size
                if size > MAX_UNPACKED_BYTES:
                    raise PenpalError(f"it has {size:,} bytes; larger arrays are read from .npy files")
                yield _Array.read(member, size), member
        except (RuntimeError, NotImplementedError) as error:  # It is encrypted, or compressed in another way.
            raise PenpalError(f"{_key(name)}: {error}") from error


def _key(name: str) -> str:
    return name.removesuffix(".npy")


def _open_npz(file: ReadableFile, options: Options) -> Content:
    archive = _Archive(file, options)
    return ink_content(lambda _file, _options: archive.rows(), archive.read_as)(file, options)


NPY = Format("NumPy", (".npy",), _open_npy)
NPZ = Format("NumPy archive", (".npz",), _open_npz)
