"""Files of tables of two equal rows, given the cells of a row by the names of their columns."""

from __future__ import annotations

import csv
import gzip
import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import feather, ipc


def as_parquet(cells):
    return table_bytes(cells, lambda table, file: pq.write_table(table, file))


def as_arrow(cells):
    def write(table, file):
        with ipc.new_file(file, table.schema) as writer:
            writer.write_table(table, max_chunksize=1)

    return table_bytes(cells, write)


def as_stream(cells):
    def write(table, file):
        with ipc.new_stream(file, table.schema) as writer:
            writer.write_table(table)

    return table_bytes(cells, write)


def table_bytes(cells, write):
    table = pa.table({name: pa.array([value, value]) for name, value in cells.items()})
    file = io.BytesIO()
    write(table, file)
    return file.getvalue()


def as_lines(cells):
    return (json.dumps({"text": "a", **cells}) + "\n").encode() * 2


def as_array(cells):
    return json.dumps([cells, cells]).encode()


def as_indented(cells):
    return json.dumps([{"n": 1, **cells}, cells], indent=1).encode()


def as_csv(cells, delimiter=","):
    file = io.StringIO()
    writer = csv.writer(file, delimiter=delimiter)
    writer.writerow(["id", *cells])
    texts = [value if isinstance(value, str) else json.dumps(value) for value in cells.values()]
    writer.writerows([[1, *texts], [2, *texts]])
    return file.getvalue().encode()


def zstd(content):
    return pa.compress(content, codec="zstd", asbytes=True)


TABLE_FILES = {
    "rows.parquet": as_parquet,
    "rows.arrow": as_arrow,
    "rows.arrows": as_stream,
    "rows.feather": lambda cells: table_bytes(cells, feather.write_feather),
    "rows.jsonl": as_lines,
    "rows.ndjson.gz": lambda cells: gzip.compress(as_lines(cells)),
    "rows.jsonl.zst": lambda cells: zstd(as_lines(cells)),
    "rows.json": as_array,
    "indented.json": as_indented,
    "rows.csv": as_csv,
    "rows.tsv": lambda cells: as_csv(cells, "\t"),
}
"""What a file of each format holds, given the cells of a row."""
