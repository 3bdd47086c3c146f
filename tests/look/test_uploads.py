"""Files that the page sends: any that `score` reads, and what is refused of them."""

from __future__ import annotations

import gc
import gzip
import io
import json
import tempfile
import time

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

import penpal_fast
from helpers.alarm import worked
from helpers.hostile_files import SECONDS, damaged
from penpal_fast import QualityCheck

testclient = pytest.importorskip("starlette.testclient", reason="the extra `look` is not installed")

from penpal_fast.look.serve.app import Server, application  # noqa: E402


@pytest.fixture(scope="module")
def server():
    return Server([QualityCheck()])


@pytest.fixture(scope="module")
def client(server):
    return testclient.TestClient(application(server), base_url="http://127.0.0.1:8000")


def parquet_bytes(table):
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    return sink.getvalue().to_pybytes()


A = [[[0.0, 9.0], [4.0, 0.0], [8.0, 9.0]], [[2.0, 5.0], [6.0, 5.0]]]
LINES = b"".join(json.dumps({"strokes": row, "text": "b"}).encode() + b"\n" for row in (A, None, A))
POINTS = [" ".join(f"{x:g} {y:g}," for x, y in stroke).rstrip(",") for stroke in A]
PATH = " ".join("M" + " L".join(f"{x:g},{y:g}" for x, y in stroke) for stroke in A)


def archive(**arrays):
    content = io.BytesIO()
    np.savez_compressed(content, **arrays)
    return content.getvalue()


def array(values):
    content = io.BytesIO()
    np.save(content, values)
    return content.getvalue()


def ipc(table, compression=None):
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression=compression)) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


# dx, dy (up), end of stroke.
OFFSETS = np.array([[0, 0, 0], [4, 9, 0], [4, -9, 1], [-6, 4, 0], [4, 0, 1]], np.float32)
FILES = {
    "lines.jsonl": LINES,
    "lines.ndjson.gz": gzip.compress(LINES),
    "lines.jsonl.zst": pa.compress(LINES, codec="zstd", asbytes=True),
    "lines": LINES,
    "": gzip.compress(LINES),
    "rows.json": b"[" + b",".join(LINES.split(b"\n")[:3]) + b"]",
    "rows.csv": b'strokes,text\n"' + json.dumps(A).encode() + b'",b\n',
    "rows.npy": array(OFFSETS),
    "rows.npz": archive(first=OFFSETS),
    "rows.feather": ipc(pa.table({"strokes": [A]}), "lz4"),
    "ink.inkml": f"<ink>{''.join(f'<trace>{points}</trace>' for points in POINTS)}</ink>".encode(),
    "ink.svg": f'<svg xmlns="http://www.w3.org/2000/svg"><path d="{PATH}"/></svg>'.encode(),
    "ink.xopp": gzip.compress(
        f"<xournal><page><layer>{''.join(f'<stroke>{one.replace(chr(44), str())}</stroke>' for one in POINTS)}"
        "</layer></page></xournal>".encode()
    ),
    "parquet.gz": gzip.compress(parquet_bytes(pa.table({"strokes": [A]}))),
    "other name.txt": parquet_bytes(pa.table({"strokes": [A]})),
}


@pytest.mark.parametrize("name", FILES, ids=lambda name: name or "no name")
def test_uploads_of_all_formats(client, name):
    opened = client.post("/files", params={"name": name}, content=FILES[name])
    assert opened.status_code == 200, opened.json()
    rows = client.get(f"/files/{opened.json()['key']}/rows").json()["rows"]
    assert len(rows) == opened.json()["rows"] in (1, 3)
    assert rows[0]["score"] == pytest.approx(penpal_fast.score([A])[0], abs=1e-4)
    assert (len(rows) == 3) == any(row["error"] is not None for row in rows)


def test_an_upload_leaves_nothing_behind(client, server, tmp_path, monkeypatch):
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    for content in [*FILES.values(), b"PAR1", gzip.compress(LINES)[:-9], b"<svg>"]:
        client.post("/files", content=content)
    server.uploaded.clear()

    def left():
        gc.collect()
        return list(folder.iterdir())

    # The thread that answered may hold its answer, and so the file, until it runs again.
    deadline = time.monotonic() + 60
    while left() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert left() == []


ENTITIES = "".join(f'<!ENTITY a{n + 1} "{f"&a{n};" * 10}">' for n in range(9))
HOSTILE_FILES = {
    "pickled.npz": (archive(first=np.array([{"a": 1}], dtype=object)), "pickled Python objects"),
    "lying.npy": (array(OFFSETS).replace(b"(5, 3), ", b"(10**9, 3), "), "none of NumPy's"),
    "claims.npy": (array(OFFSETS)[:-30], "not what its"),
    "zeros.npz": (archive(first=np.zeros((1, 40_000_000, 3), np.float32)), "at most 419,430,400 are read here"),
    "zeros.jsonl.gz": (gzip.compress(gzip.compress(b" " * (401 << 20), 1)), "packed more than once"),
    "bomb.inkml": (f"<!DOCTYPE ink [{ENTITIES}]><ink><trace>&a9;</trace></ink>".encode(), "entit"),
    "deep.svg": (b"<svg>" + b"<g>" * 10_000 + b"</g>" * 10_000 + b"</svg>", "200 elements"),
    "cut.jsonl.zst": (pa.compress(LINES, codec="zstd", asbytes=True)[:-9], "cannot read it"),
    "cut.jsonl.gz": (gzip.compress(LINES)[:-20], "cut short"),
    "page.parquet": (b"<!doctype html><html></html>", "HTML page"),
    "pointer.jsonl": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12\n", "git lfs pull"),
    "other.pdf": (b"%PDF-1.7", "it is a PDF"),
    "utf16.jsonl": (LINES.decode().encode("utf-16"), "UTF-16"),
    "../../etc/passwd": (b"root:x:0:0", "no known format"),
    "http://localhost/in.jsonl": (b"", "there are no rows"),
    "\0\n\ud7ff" + "x" * 1000: (b"x", "no known format"),
    "other.jsonl": (b'{"ink": 1}\n', "no column 'strokes'"),
}


@pytest.mark.parametrize("name", HOSTILE_FILES, ids=lambda name: name[:30])
def test_hostile_uploads_are_refused_with_a_reason(client, name):
    content, reason = HOSTILE_FILES[name]
    with worked(SECONDS):
        answer = client.post("/files", params={"name": name}, content=content)
    assert 400 <= answer.status_code < 500
    assert reason in answer.json()["error"]


def test_unpacked_uploads_are_bounded(client, monkeypatch):
    monkeypatch.setattr("penpal_fast.look.serve.upload.MAX_UNPACKED_BYTES", 1000)
    for content in (gzip.compress(LINES * 99), pa.compress(LINES * 99, codec="zstd", asbytes=True)):
        answer = client.post("/files", content=content)
        assert answer.status_code == 422
        assert "over 1,000 bytes" in answer.json()["error"]


@pytest.mark.parametrize("compression", ["lz4", "zstd"])
def test_packed_arrow_uploads_are_bounded(client, monkeypatch, compression):
    table = pa.table({"strokes": [A] * 400, "zeros": [[0.0] * 500] * 400})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression=compression)) as writer:
        writer.write_table(table, max_chunksize=100)
    content = sink.getvalue().to_pybytes()
    assert client.post("/files", params={"name": "rows.feather"}, content=content).status_code == 200
    monkeypatch.setattr("penpal_fast.look.serve.upload.MAX_UNPACKED_BYTES", 1_000_000)
    assert len(content) < 100_000
    answer = client.post("/files", params={"name": "rows.feather"}, content=content)
    assert answer.status_code == 422
    assert "more than 1,000,000 bytes, unpacked" in answer.json()["error"]


@given(st.data())
def test_damaged_uploads_are_read_or_refused(client, data):
    name = data.draw(st.sampled_from(sorted(FILES)))
    content = data.draw(damaged(FILES[name]))
    with worked(SECONDS):
        answer = client.post("/files", params={"name": name}, content=content)
        if answer.status_code == 200:
            answer = client.get(f"/files/{answer.json()['key']}/rows")
    assert answer.status_code == 200 or (answer.status_code == 422 and answer.json()["error"])
