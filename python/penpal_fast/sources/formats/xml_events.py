"""XML from strangers, element by element: no entities, no other files or networks, no unbounded depth or size."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import IO, NoReturn
from xml.parsers import expat

from penpal_fast.errors import PenpalError

MAX_DEPTH = 200
"""Maximum number of elements inside one another."""

MAX_BYTES = 256 << 20
"""Maximum size of a file, unpacked."""

CHUNK_BYTES = 1 << 16


@dataclasses.dataclass(frozen=True, slots=True)
class Start:
    """The start of an element: its name and those of its attributes are without the prefix of their namespace."""

    name: str
    attributes: dict[str, str]


@dataclasses.dataclass(frozen=True, slots=True)
class End:
    """The end of an element, and the text that is directly within it."""

    name: str
    text: str


def xml_events(file: IO[bytes]) -> Iterator[Start | End]:
    """Parse a file.

    Raises:
        PenpalError: It declares entities, is nested too deeply or is too large.
        ExpatError: It is not well-formed.
        OSError: It cannot be read.
    """
    events = _Events()
    size = 0
    while chunk := file.read(CHUNK_BYTES):
        size += len(chunk)
        if size > MAX_BYTES:
            raise PenpalError(f"it has more than {MAX_BYTES >> 20} MB of XML")
        yield from events.of(chunk)
    yield from events.of(b"", is_last=True)


def root_of(start: bytes) -> str:
    """Return the name of the first element of a file, given its first bytes; empty if it is no XML."""
    events = _Events()
    try:
        return next((event.name for event in events.of(start) if isinstance(event, Start)), "")
    except (expat.ExpatError, PenpalError):
        return next((event.name for event in events.waiting if isinstance(event, Start)), "")


class _Events:
    """An expat parser that collects what it finds."""

    def __init__(self) -> None:
        self.waiting: list[Start | End] = []
        self._texts: list[list[str]] = []
        self._parser = parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        # As in defusedxml: whatever declares an entity may expand to gigabytes, or to another file.
        parser.EntityDeclHandler = parser.UnparsedEntityDeclHandler = _refuse_entities
        parser.ExternalEntityRefHandler = _refuse_entities

    def of(self, chunk: bytes, *, is_last: bool = False) -> list[Start | End]:
        try:
            self._parser.Parse(chunk, is_last)
        except PenpalError:
            raise
        except (LookupError, ValueError) as error:  # Python's, for an encoding that expat does not know itself.
            raise PenpalError(f"its encoding cannot be read: {error}") from error
        found, self.waiting = self.waiting, []
        return found

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self._texts) == MAX_DEPTH:
            raise PenpalError(f"more than {MAX_DEPTH} elements are inside one another")
        self._texts.append([])
        self.waiting.append(Start(_local(name), {_local(key): value for key, value in attributes.items()}))

    def _end(self, name: str) -> None:
        self.waiting.append(End(_local(name), "".join(self._texts.pop())))

    def _text(self, text: str) -> None:
        self._texts[-1].append(text)


def _local(name: str) -> str:
    return name.rpartition(":")[2]


def _refuse_entities(*_declaration: object) -> NoReturn:
    raise PenpalError("it declares XML entities, which are not read; write their values in their places")
