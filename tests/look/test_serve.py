"""The server's endpoints: what they answer and what they refuse."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import penpal_fast
from helpers.arrow import column, stored_views
from helpers.commands import run, said
from helpers.made_lines import scrawl
from helpers.models import random_reader
from helpers.scored_lines import HOSTILE, matched_table, scored_table
from penpal_fast import Outcome, PenpalError, QualityCheck, Reader, explain
from penpal_fast.jobs.json_rows import json_lines
from penpal_fast.strokes import words_of

testclient = pytest.importorskip("starlette.testclient", reason="the extra `look` is not installed")

from penpal_fast.look.row_reading import MAX_TEXT  # noqa: E402
from penpal_fast.look.serve import app as app_module  # noqa: E402
from penpal_fast.look.serve.app import MAX_ROWS, MAX_UPLOADED_FILES, Server, application  # noqa: E402
from penpal_fast.look.serve.bodies import MAX_JSON_BYTES  # noqa: E402
from penpal_fast.look.serve.drawn_file import SCHEMA, DrawnFile  # noqa: E402
from penpal_fast.look.serve.source_rows import MAX_PAGE_ROWS, MAX_POINTS, SourceRows  # noqa: E402

ADDRESS = "http://127.0.0.1:8000"
ROW = [[list(point) for point in stroke] for stroke in scrawl(1, 4, 15)]
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def checks():
    return [QualityCheck()]


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    return Reader(random_reader(tmp_path_factory.mktemp("reader")), backend="native")


@pytest.fixture
def given(tmp_path, checks):
    table = scored_table(np.linspace(0, 1, 150), text=[f"line {row}" for row in range(150)])
    strokes = pa.chunked_array([table["strokes"].slice(0, 149), pa.nulls(1, table["strokes"].type)])
    pq.write_table(table.set_column(0, "strokes", strokes), tmp_path / "given.parquet", row_group_size=40)
    return SourceRows(str(tmp_path / "given.parquet"), "strokes", checks)


@pytest.mark.parametrize("kind", ["folder", "glob", "jsonl"])
def test_rows_of_all_that_can_be_scored_are_shown(tmp_path, checks, given, kind):
    """The same rows as those of one Parquet file."""
    table = pq.read_table(tmp_path / "given.parquet")
    folder = tmp_path / "given"
    folder.mkdir()
    pq.write_table(table.slice(0, 70), folder / "0.parquet")
    pq.write_table(table.slice(70), folder / "1.parquet")
    source = {"folder": str(folder), "glob": f"{folder}/*.parquet", "jsonl": str(tmp_path / "given.jsonl")}[kind]
    (tmp_path / "given.jsonl").write_bytes(json_lines(table))
    shown = SourceRows(source, "strokes", checks)
    client = testclient.TestClient(application(Server(checks, given=shown)), base_url=ADDRESS)
    assert client.get("/settings").json()["file"] == {"key": "given", "name": shown.name, "rows": 150}
    assert shown.name == ("given.jsonl" if kind == "jsonl" else source)
    for start in (0, 65, 140, 150):
        rows = client.get(f"/files/given/rows?start={start}&count=12").json()["rows"]
        expected = given.page(start, 12)
        assert [row["row"] for row in rows] == [row["row"] for row in expected]
        for row, other in zip(rows, expected, strict=True):
            assert (row["text"], row["error"] is None) == (other["text"], other["error"] is None)
            assert row["score"] == pytest.approx(other["score"], abs=1e-4)


@pytest.mark.parametrize("kind", ["parquet", "arrow"])
def test_the_texts_are_those_that_the_match_was_made_with(tmp_path, checks, kind):
    table = matched_table([0.5, 0.7], [0.1, 0.9], ["one", "two"], text="prompt").append_column("text", [["no"] * 2])
    for name, shown, expected in (
        ("both", table, ["one", "two"]),
        ("gone", table.drop_columns(["prompt"]), [None, None]),
        ("plain", table.select(["strokes", "text"]).replace_schema_metadata(), ["no", "no"]),
    ):
        path = tmp_path / f"{name}.{kind}"
        if kind == "parquet":
            pq.write_table(shown, path)
        else:
            with pa.ipc.new_file(path, shown.schema) as file:
                file.write_table(shown)
        rows = SourceRows(str(path), "strokes", checks).page(0, 5)
        assert [row["text"] for row in rows] == expected


def test_a_column_of_another_quality_does_not_keep_rows_from_being_shown(tmp_path, checks):
    pq.write_table(pa.table({"strokes": column([ROW]), "quality": ["good"]}), tmp_path / "mine.parquet")
    assert SourceRows(str(tmp_path / "mine.parquet"), "strokes", checks).page(0, 9)[0]["error"] is None


@pytest.fixture
def client(tmp_path, checks, given, reader):
    server = Server(checks, given=given, drawn=DrawnFile(tmp_path / "drawn.parquet"), reader=reader)
    return testclient.TestClient(application(server), base_url=ADDRESS)


def test_score(client):
    answer = client.post("/score", json={"rows": [ROW, [], ROW[:2], "x"]})
    assert answer.status_code == 200
    scores, errors = answer.json()["scores"], answer.json()["errors"]
    assert np.allclose([scores[0], scores[2]], penpal_fast.score([ROW, ROW[:2]]), atol=1e-6)
    assert [scores[1], scores[3], errors[0], errors[2]] == [None] * 4
    assert errors[1].startswith("no points")
    assert errors[3].startswith("wrong type")
    empty = {"scores": [], "errors": []}
    assert client.post("/score", json={"rows": []}).json() == {**empty, "checks": {"quality": empty}}


def test_look(client):
    answer = client.post("/look", json={"strokes": ROW}).json()
    score = pytest.approx(penpal_fast.score([ROW])[0], abs=1e-6)
    assert answer["checks"] == [{"name": "quality", "score": score, "error": None}]
    assert answer["picture"].startswith("data:image/png;base64,")
    assert "explanation" not in answer


def test_look_explained(client):
    answer = client.post("/look", json={"strokes": [ROW[:1], ROW[1:]], "explain": True}).json()
    assert answer["explanation"]["level"] == "word"
    assert np.allclose(answer["explanation"]["pulls"], explain([ROW[:1], ROW[1:]]).pulls(), atol=1e-5)


def test_read(client, reader):
    answer = client.post("/read", json={"strokes": ROW}).json()
    assert answer["reading"] == reader.read([ROW])[0] != ""
    assert answer["readability"] == pytest.approx(reader.readability([ROW])[0])
    assert answer["letters"] == []
    assert [answer[name] for name in ("match", "problem", "text_problem")] == [None] * 3


def test_letters_that_do_not_fit_have_a_place(client, reader):
    said = reader.read([ROW])[0]
    wrong = said[0] + ("x" if said[1] != "x" else "y") + said[2:]
    right, other = (client.post("/read", json={"strokes": ROW, "text": text}).json() for text in (said, wrong))
    assert [letter["fits"] for letter in right["letters"]] == [True] * len(said)
    assert [letter["fits"] for letter in other["letters"]][:2] == [True, False]
    assert [letter["letter"] for letter in other["letters"]] == list(wrong)
    assert right["match"] == pytest.approx(reader.match([ROW], [said])[0])
    assert right["match"] > other["match"]
    expected = reader.align(ROW, wrong)[1].spans
    assert other["letters"][1]["spans"] == [vars(span) for span in expected] != []


def test_strokes_without_points_do_not_count(client):
    plain, holed = (
        client.post("/read", json={"strokes": strokes, "text": "abc"}).json() for strokes in (ROW, [[], *ROW])
    )
    assert plain == holed


def test_look_reads_too(client):
    request = {"strokes": ROW, "text": "a bee"}
    answer = client.post("/look", json=request).json()
    assert answer["read"] == client.post("/read", json=request).json()
    assert answer["score"] == client.post("/score", json={"rows": [ROW]}).json()["scores"][0]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "empty text"),
        (" \t\u00a0", "empty text"),
        ("\u4e2d\u6587", "unreadable text: it has Chinese, Japanese or Korean letters"),
        ("\u202e\u05e9\u05dc", "unreadable text: it is written from right to left"),
        (HOSTILE, "unreadable text"),
        ("\0\x1b[31m", "unreadable text"),
        ("a" * (MAX_TEXT + 1), f"too long text: at most {MAX_TEXT:,} characters, got {MAX_TEXT + 1:,}"),
        ("a" * 2**20, "too long text"),
        ("\u4e2d" * 2**20, "too long text"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_a_text_that_cannot_be_compared_has_a_reason(client, reader, text, problem):
    answer = client.post("/look", json={"strokes": ROW, "text": text})
    assert answer.status_code == 200
    read = answer.json()["read"]
    assert read["text_problem"].startswith(problem)
    assert (read["match"], read["letters"], read["problem"]) == (None, [], None)
    assert read["reading"] == reader.read([ROW])[0]
    assert answer.json()["score"] == pytest.approx(penpal_fast.score([ROW])[0], abs=1e-6)


def test_a_text_with_more_letters_than_the_ink_has_room_for(client):
    answer = client.post("/read", json={"strokes": ROW, "text": "ab" * (MAX_TEXT // 2)})
    assert answer.status_code == 200
    assert (answer.json()["match"], answer.json()["letters"]) == (0, [])


def test_a_row_that_is_too_long_to_read_has_a_score(client):
    long = [[[x / 4000, x % 2] for x in range(8000)]]
    answer = client.post("/look", json={"strokes": long, "text": "abc"}).json()
    assert answer["read"]["problem"].startswith("too long to read")
    assert [answer["read"][name] for name in ("reading", "readability", "match", "text_problem")] == [None] * 4
    assert answer["score"] == pytest.approx(penpal_fast.score([long])[0], abs=1e-6)


def test_a_server_without_a_reader_scores(checks):
    client = testclient.TestClient(application(Server(checks)), base_url=ADDRESS)
    assert client.get("/settings").json()["reader"] is None
    answer = client.post("/look", json={"strokes": ROW, "text": "abc"}).json()
    assert answer["read"] is None
    assert answer["score"] == pytest.approx(penpal_fast.score([ROW])[0], abs=1e-6)
    refused = client.post("/read", json={"strokes": ROW})
    assert refused.status_code == 409
    assert "no reader" in refused.json()["error"]


OTHER_ENCODINGS = ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"]
HALF = '{"strokes": [[[1, 2]]], "text": "\ud800"}'


@pytest.mark.parametrize(
    ("path", "body", "status", "reason"),
    [
        ("/score", b"", 400, "not JSON"),
        ("/score", b"\xff\xfe", 400, "not JSON"),
        ("/score", b"[" * 100_000, 400, "not JSON"),
        ("/score", b'{"rows": [NaN]}', 400, "the body is not JSON: NaN and Infinity are not JSON numbers"),
        ("/score", b'{"rows": [NaN}', 400, "the body is not JSON: expected"),
        ("/score", b'{"rows": ["\\ud800"]}', 400, "not JSON"),
        ("/score", b"[]", 400, "must be a JSON object, got an array"),
        ("/score", b"{}", 400, "the field 'rows' is missing"),
        ("/score", b'{"rows": {}}', 400, "must be an array, got an object"),
        ("/score", json.dumps({"rows": [None] * (MAX_ROWS + 1)}).encode(), 413, "rows at a time"),
        ("/score", b" " * (MAX_JSON_BYTES + 1), 413, "the body is longer than"),
        *(("/score", '{"rows": []}'.encode(code), 400, "not JSON") for code in OTHER_ENCODINGS),
        *(("/drawn", HALF.encode(code, "surrogatepass"), 400, "not JSON") for code in OTHER_ENCODINGS),
        ("/look", b'{"strokes": 1}', 400, "must be an array, got a number"),
        ("/look", b'{"strokes": []}', 422, "no points"),
        ("/look", b'{"strokes": [[[1, 1e999]]]}', 422, "non-finite"),
        ("/look", b'{"strokes": [[1, 2]]}', 422, "wrong type"),
        ("/look", b'{"strokes": [[[1, 2]]], "text": 5}', 400, "the field 'text' must be a string, got a number"),
        ("/read", b"{}", 400, "the field 'strokes' is missing"),
        ("/read", b'{"strokes": [[[1, 2]]], "text": ["a"]}', 400, "the field 'text' must be a string, got an array"),
        ("/read", b'{"strokes": [[[1, 2]]], "text": "\xed\xa0\x80"}', 400, "the body is not JSON"),
        ("/read", b'{"strokes": [], "text": "a"}', 422, "no points"),
        ("/read", b'{"strokes": [[[1, 1e999]]]}', 422, "non-finite"),
        ("/read", b" " * (MAX_JSON_BYTES + 1), 413, "the body is longer than"),
        ("/drawn", b'{"strokes": [[[1, 2]]]}', 400, "the field 'text' is missing"),
        ("/drawn", b'{"strokes": [[[1, 2]]], "text": "\xed\xa0\x80"}', 400, "the body is not JSON"),
        ("/drawn", b'{"strokes": [[[1, 2]]], "text": 5}', 400, "must be a string"),
        ("/drawn", b'{"strokes": [], "text": ""}', 422, "no points"),
        ("/drawn", b'{"strokes": [[[1, 1e300]]], "text": ""}', 422, "non-finite"),
        ("/drawn", json.dumps({"strokes": [[[1, 2]]], "text": "x" * 1001}).encode(), 413, "characters of text"),
    ],
    ids=lambda value: str(value)[:40],
)  # fmt: skip
def test_bad_bodies_are_refused_with_a_reason(client, tmp_path, path, body, status, reason):
    answer = client.post(path, content=body, headers=JSON)
    assert answer.status_code == status
    assert reason in answer.json()["error"]
    assert not (tmp_path / "drawn.parquet").exists()


def test_bodies_without_a_declared_length_are_bounded(client):
    pieces = (b" " * 2**20 for _ in range(MAX_JSON_BYTES // 2**20 + 1))
    assert client.post("/score", content=pieces, headers=JSON).status_code == 413


@pytest.mark.parametrize("declared", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_content_types_that_html_forms_can_send_are_refused(client, declared):
    answer = client.post("/score", content=b'{"rows": []}', headers={"Content-Type": declared})
    assert answer.status_code == 415


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "evil.example:8000", "", "[::1", "a b"])
def test_other_host_names_are_refused(client, host):
    answer = client.get("/settings", headers={"Host": host})
    assert answer.status_code == 403
    assert "does not answer for the host" in answer.json()["error"]


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "127.0.0.1", "[::1]:8000", "192.168.1.5:80"])
def test_ip_addresses_and_localhost_are_answered(client, host):
    assert client.get("/settings", headers={"Host": host}).status_code == 200


def test_the_name_that_the_server_listens_on_is_answered(checks):
    client = testclient.TestClient(application(Server(checks), "Workshop"), base_url="http://workshop:8000")
    assert client.get("/settings").status_code == 200


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:9000", "https://127.0.0.1:8000"])
def test_pages_of_other_sites_are_refused(client, origin):
    answer = client.post("/score", json={"rows": []}, headers={"Origin": origin})
    assert answer.status_code == 403
    assert "may not use this server" in answer.json()["error"]
    assert client.post("/score", json={"rows": []}, headers={"Origin": ADDRESS}).status_code == 200


def test_every_answer_has_security_headers(client):
    answers = [client.get(path) for path in ("/", "/static/page.js", "/none")]
    for answer in [*answers, client.get("/", headers={"Host": "x"})]:
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "default-src 'self'" in answer.headers["Content-Security-Policy"]


MISSING = ["/none", "/static/none.js", "/static/../app.py", "/static/%2e%2e/app.py"]


@pytest.mark.parametrize(("path", "status"), [*((path, 404) for path in MISSING), ("/score", 405)])
def test_unknown_paths_and_methods(client, path, status):
    answer = client.get(path)
    assert answer.status_code == status
    assert answer.json()["error"]


def test_the_page_and_its_files(client):
    page = client.get("/")
    assert page.headers["Content-Type"].startswith("text/html")
    for path in ("/theme.css", "/static/page.css", "/static/ink.js", "/static/reading.js", "/static/samples.json"):
        assert client.get(path).status_code == 200, path


def test_samples_can_be_drawn(client):
    for sample in client.get("/static/samples.json").json():
        answer = client.post("/look", json={"strokes": sample["words"], "text": sample["text"]})
        assert answer.status_code == 200
        read = answer.json()["read"]
        assert (read["problem"], read["text_problem"]) == (None, None)
        assert read["match"] is not None


def test_settings(client, checks):
    settings = client.get("/settings").json()
    assert settings["file"] == {"key": "given", "name": "given.parquet", "rows": 150}
    assert settings["save"] == "drawn.parquet"
    assert list(settings["reader"]["thresholds"]) == ["lenient", "balanced", "strict"]
    bare = testclient.TestClient(application(Server(checks)), base_url=ADDRESS).get("/settings").json()
    assert (bare["file"], bare["save"]) == (None, None)


@pytest.mark.parametrize(("start", "count"), [(0, 24), (30, 24), (39, 2), (100, 60), (140, 60), (150, 5), (10**14, 5)])
def test_rows_of_the_given_file(client, start, count):
    rows = client.get(f"/files/given/rows?start={start}&count={count}").json()["rows"]
    assert [row["row"] for row in rows] == list(range(start, min(start + count, 150)))
    assert [row["text"] for row in rows] == [f"line {row['row']}" for row in rows]
    good = [row for row in rows if row["row"] != 149]
    expected = scored_table(np.linspace(0, 1, 150))["strokes"]
    assert np.allclose(
        [row["score"] for row in good], penpal_fast.score([row["words"] for row in good]) if good else [], atol=1e-6
    )
    for row in good:
        words = words_of(expected[row["row"]])
        assert row["words"] == [[stroke.tolist() for stroke in word] for word in words]
    assert [row["error"].partition(":")[0] for row in rows if row["row"] == 149] == ["null"] * (len(rows) - len(good))


def test_rows_with_a_score_that_cannot_be_shown(tmp_path):
    class Short(QualityCheck):
        def look(self, rows):
            details = {name: pa.nulls(len(rows), kind) for name, kind in self.details.items()}
            return Outcome(np.full(len(rows), 0.5, np.float32), {}, details)

    long = [[[float(x), 0.0] for x in range(MAX_POINTS + 1)]]
    pq.write_table(pa.table({"strokes": column([ROW, None, [], long])}), tmp_path / "given.parquet")
    rows = SourceRows(str(tmp_path / "given.parquet"), "strokes", [Short()]).page(0, 9)
    assert [row["score"] for row in rows] == [0.5] * 4
    assert [bool(row["words"]) for row in rows] == [True, False, False, False]
    reasons = [row["error"] and row["error"].partition(":")[0] for row in rows]
    assert reasons == [None, "null", "no points", "too many points to show"]


STROKE = {"points": [{"x": float(x), "y": float(y)} for x, y in ROW[0]], "x": 1.0}


def test_a_stroke_with_a_field_called_x_is_a_stroke(client, tmp_path, checks):
    expected = penpal_fast.score([ROW[:1]])[0]
    answer = client.post("/look", json={"strokes": [[STROKE]], "text": "a", "explain": True})
    assert answer.json()["score"] == pytest.approx(expected, abs=1e-6)
    pq.write_table(pa.table({"strokes": pa.array([[[STROKE]]])}), tmp_path / "given.parquet")
    (row,) = SourceRows(str(tmp_path / "given.parquet"), "strokes", checks).page(0, 9)
    assert np.allclose(row["words"][0][0], ROW[0])
    assert row["score"] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("kind", ["string", "large", "views", "dictionary"])
def test_texts_of_any_type_are_shown(tmp_path, checks, kind):
    kinds = {"string": pa.string, "large": pa.large_string, "views": stored_views, "dictionary": pa.string}
    texts = pa.array(["one", None, "three"], kinds[kind]())
    texts = texts.dictionary_encode() if kind == "dictionary" else texts
    pq.write_table(pa.table({"strokes": column([ROW] * 3), "text": texts}), tmp_path / "given.parquet")
    rows = SourceRows(str(tmp_path / "given.parquet"), "strokes", checks).page(0, 9)
    assert [row["text"] for row in rows] == ["one", None, "three"]


def test_the_ends_of_long_texts_are_left_out(tmp_path, checks):
    texts = ["x" * MAX_TEXT, "y" * (MAX_TEXT + 1)]
    pq.write_table(pa.table({"strokes": column([ROW] * 2), "text": texts}), tmp_path / "given.parquet")
    rows = SourceRows(str(tmp_path / "given.parquet"), "strokes", checks).page(0, 9)
    assert [row["text"] for row in rows] == [texts[0], f"{texts[1][:MAX_TEXT]}…"]


@pytest.mark.parametrize("query", ["start=-1", "start=x", "count=1.5", "start=99999999999999999", "start=²"])
def test_rows_need_whole_numbers(client, query):
    answer = client.get(f"/files/given/rows?{query}")
    assert answer.status_code == 400
    assert "must be a whole number" in answer.json()["error"]


def test_headers_have_a_limit(client):
    answer = client.get("/settings", headers={"X-Long": "x" * (16 << 10)})
    assert answer.status_code == 431
    assert "the headers have more than 16,384 bytes" in answer.json()["error"]


def test_uploads_of_text_are_bounded_in_lines(client, monkeypatch):
    monkeypatch.setattr("penpal_fast.look.serve.upload.MAX_LINES", 3)
    lines = [json.dumps({"strokes": ROW})] * 5
    for count, status in ((3, 200), (4, 200), (5, 422)):
        assert client.post("/files?name=a.jsonl", content="\n".join(lines[:count])).status_code == status
    answer = client.post("/files?name=a.jsonl", content="\n".join(lines))
    assert "it has 4 lines; at most 3 are read here" in answer.json()["error"]


def test_a_page_has_no_more_rows_than_the_limit(client):
    assert len(client.get("/files/given/rows?count=1000").json()["rows"]) == MAX_PAGE_ROWS


def parquet_bytes(table):
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    return sink.getvalue().to_pybytes()


def test_an_uploaded_file(client):
    content = parquet_bytes(scored_table([0.5, None, 0.7]).select(["strokes"]))
    opened = client.post("/files", content=content).json()
    assert opened["rows"] == 3
    rows = client.get(f"/files/{opened['key']}/rows").json()["rows"]
    assert [row["score"] is None for row in rows] == [False, True, False]


def test_the_oldest_upload_is_dropped(client):
    content = parquet_bytes(scored_table([0.5]))
    keys = [client.post("/files", content=content).json()["key"] for _ in range(MAX_UPLOADED_FILES + 1)]
    statuses = [client.get(f"/files/{key}/rows").status_code for key in keys]
    assert statuses == [404] + [200] * MAX_UPLOADED_FILES


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is empty"),
        (b"PAR1 and no more", "cannot read it as a Parquet file"),
        (parquet_bytes(pa.table({"ink": [1]})), "no column 'strokes'; name the one with the strokes"),
        (parquet_bytes(pa.table({"strokes": [1]})), "the column 'strokes' does not hold strokes"),
    ],
)
def test_an_upload_without_rows_of_strokes(client, content, reason):
    answer = client.post("/files", content=content)
    assert answer.status_code == 422
    assert reason in answer.json()["error"]


def test_a_damaged_upload(client):
    content = bytearray(parquet_bytes(scored_table([0.5] * 100)))
    content[4 : len(content) // 4] = bytes(len(content) // 4 - 4)
    opened = client.post("/files", content=bytes(content))
    answer = client.get(f"/files/{opened.json()['key']}/rows")
    assert answer.status_code == 422
    assert "damaged" in answer.json()["error"]


def test_uploads_are_bounded_in_size(client, monkeypatch):
    monkeypatch.setattr(app_module, "MAX_UPLOADED_BYTES", 1000)
    assert client.post("/files", content=b"x" * 1001).status_code == 413


def test_uploads_are_bounded_in_memory(client, monkeypatch):
    monkeypatch.setattr("penpal_fast.look.serve.upload.MAX_UNPACKED_BYTES", 20)
    answer = client.post("/files", content=parquet_bytes(scored_table([0.5] * 9)))
    assert answer.status_code == 422
    assert "row group 0 takes more than 0 MiB of memory" in answer.json()["error"]


def test_drawn_rows_are_saved_in_the_penpal_schema(client, tmp_path):
    assert client.post("/drawn", json={"strokes": ROW, "text": "one"}).json() == {"rows": 1}
    assert client.post("/drawn", json={"strokes": [ROW[:1], ROW[1:]], "text": ""}).json() == {"rows": 2}
    table = pq.read_table(tmp_path / "drawn.parquet")
    assert table.schema.equals(SCHEMA)
    assert table["text"].to_pylist() == ["one", None]
    assert np.allclose(penpal_fast.score(table), penpal_fast.score([ROW, ROW]), atol=1e-4)
    assert [len(words) for words in table["strokes"].to_pylist()] == [1, 2]
    assert [path.name for path in tmp_path.glob("*drawn*")] == ["drawn.parquet"]


def test_saving_without_a_file(checks):
    client = testclient.TestClient(application(Server(checks)), base_url=ADDRESS)
    answer = client.post("/drawn", json={"strokes": ROW, "text": ""})
    assert answer.status_code == 409
    assert "--save" in answer.json()["error"]


def test_a_file_with_other_columns_is_not_changed(tmp_path):
    pq.write_table(pa.table({"strokes": [1], "author": [2]}), tmp_path / "drawn.parquet")
    with pytest.raises(PenpalError, match="it has other columns: strokes, author"):
        DrawnFile(tmp_path / "drawn.parquet")
    assert pq.read_table(tmp_path / "drawn.parquet").num_columns == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--save", "no/drawn.parquet"], "there is no folder"),
        (["missing.parquet"], "missing.parquet"),
        (["--host", "256.1.1.1"], "cannot listen on 256.1.1.1"),
        (["--save", "pipe.parquet"], "exists already and is not a regular file"),
        pytest.param(
            ["--save", "/proc/drawn.parquet"],
            "cannot write it",
            marks=pytest.mark.skipif(not Path("/proc").is_dir(), reason="no folder here refuses root"),
        ),
    ],
)
def test_errors_of_the_command(tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe.parquet")
    done = run("serve", "--port", "0", *arguments)
    assert done.exit_code == 1
    assert message in done.output.replace("\n", " ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["--save", "drawn.csv"], "its name must end with .parquet"), (["--host", ""], "--host is empty")],
)
def test_wrong_usage_of_the_command(arguments, message):
    done = run("serve", "--port", "0", *arguments)
    assert done.exit_code == 2
    assert message in said(done)


@pytest.mark.parametrize(("host", "warned"), [("127.0.0.1", False), ("localhost", False), ("0.0.0.0", True)])  # noqa: S104
def test_an_address_that_others_can_reach_is_warned_about(monkeypatch, host, warned):
    monkeypatch.setattr("uvicorn.Server.run", lambda *_arguments, **_settings: None)
    done = run("serve", "--port", "0", "--host", host)
    assert done.exit_code == 0
    assert ("it has no login" in done.output) == warned


def test_a_guard_without_a_name_refuses_requests_without_a_host(checks):
    client = testclient.TestClient(application(Server(checks), ""), base_url=ADDRESS)
    assert client.get("/settings", headers={"Host": ""}).status_code == 403
