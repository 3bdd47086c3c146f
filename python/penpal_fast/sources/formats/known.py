"""All formats, and which of them a file is."""

from __future__ import annotations

from penpal_fast.errors import PenpalError
from penpal_fast.sources.formats.arrow import ARROW
from penpal_fast.sources.formats.format import Format
from penpal_fast.sources.formats.iam import IAM
from penpal_fast.sources.formats.inkml import INKML, INKML_XML
from penpal_fast.sources.formats.npy import NPY, NPZ
from penpal_fast.sources.formats.svg import SVG
from penpal_fast.sources.formats.unipen import UNIPEN, UNIPEN_DAT
from penpal_fast.sources.formats.xopp import XOPP
from penpal_fast.sources.readable_file import ReadableFile

FORMATS = (ARROW, IAM, INKML, INKML_XML, NPY, NPZ, SVG, UNIPEN, UNIPEN_DAT, XOPP)

START_BYTES = 4096
"""Bytes of a file that a format is recognized by."""


def format_of(file: ReadableFile) -> Format:
    """Find the format of a file by its name, and by its beginning where formats share a suffix.

    Raises:
        PenpalError: It is of no known format.
        OSError: It cannot be read.
    """
    named = [one for one in FORMATS if file.ending.endswith(one.suffixes)]
    if len(named) == 1:
        return named[0]
    with file.open(in_order=True) as opened:
        start = opened.read(START_BYTES)
    for one in named:
        if one.begins(start):
            return one
    raise PenpalError(f"it is none of {', '.join(one.name for one in named)}")
