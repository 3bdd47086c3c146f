"""The report and the live page in a real Chromium."""

from __future__ import annotations

import io
import re
import signal
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

import penpal_fast
from helpers.chromium import chromium_path, draw_loops, open_browser, open_page
from helpers.models import random_reader
from helpers.scored_lines import HOSTILE, scored_table
from penpal_fast import QualityCheck
from penpal_fast.checks.columns import checked_schema
from penpal_fast.checks.thresholds import THRESHOLDS
from penpal_fast.look.picture import data_url
from penpal_fast.look.report.writing import write_report

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
pytestmark = pytest.mark.skipif(chromium_path() is None, reason="there is no Chromium: apt-get install chromium")

expect = sync_api.expect
expect.set_options(timeout=60_000)

NOTHING = "\N{EN DASH}"
READY = "html[data-ready]"
SCORED = re.compile(r"^[01]\.\d{3}$")
RATED = re.compile(r"^[01]\.\d\d$")
SCORE = {"name": "quality", "score": 0.75, "error": None}


@pytest.fixture(scope="module")
def browser():
    with open_browser() as browser:
        yield browser


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A running server: its address and its folder, with the file that it shows and the file that it saves to.

    Its reader has random weights: it reads nonsense, but always the same.
    """
    folder = tmp_path_factory.mktemp("serve")
    table = scored_table(np.linspace(0, 1, 60), text=[f"line {row}" for row in range(60)])
    pq.write_table(table, folder / "given.parquet")
    random_reader(folder / "reader")
    options = ["--save", "drawn.parquet", "--port", "0", "--reader", "reader"]
    command = [sys.executable, "-m", "penpal_fast", "serve", "given.parquet", *options]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True)
    address = re.search(r"http://127\.0\.0\.1:\d+/", process.stdout.readline()).group()
    yield address, folder
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=60)
    assert rest == "stopped\n"
    assert process.returncode == 0


@pytest.fixture
def page(browser, server):
    with open_page(browser, viewport={"width": 1200, "height": 900}, has_touch=True) as (page, problems):
        page.goto(server[0])
        page.wait_for_selector(READY, state="attached")
        yield page
        assert problems == []


def settled_score(page):
    """The score when the last change has been answered."""
    expect(page.locator("#result")).to_have_attribute("aria-busy", "false")
    expect(page.locator("#score")).to_have_text(SCORED)
    return page.inner_text("#score")


def test_drawing_changes_the_score(page):
    assert page.inner_text("#score") == NOTHING
    assert page.locator("#hint").is_visible()
    draw_loops(page, 1)
    first = settled_score(page)
    assert page.locator("#raster").is_visible()
    assert not page.locator("#hint").is_visible()
    draw_loops(page, 5)
    assert settled_score(page) != first
    page.keyboard.press("Control+z")
    expect(page.locator("#score")).to_have_text(first)
    page.click("#clear")
    expect(page.locator("#score")).to_have_text(NOTHING)
    assert page.locator("#raster").is_hidden()


def test_the_picture_changes_while_the_pen_is_down(page):
    box = page.locator("#ink").bounding_box()
    picture = page.locator("#raster")
    page.mouse.move(box["x"] + 50, box["y"] + 50)
    page.mouse.down()
    expect(picture).to_have_attribute("src", re.compile("^data:image/png"))
    for step in range(1, 4):
        last = picture.get_attribute("src")
        page.mouse.move(box["x"] + 50 + 60 * step, box["y"] + 50 + 40 * (step % 2), steps=5)
        expect(picture).not_to_have_attribute("src", last)
    page.mouse.up()


def test_a_saved_row_has_the_score_that_was_shown(page, server):
    draw_loops(page, 3)
    shown = settled_score(page)
    page.fill("#text", "loops")
    page.click("#save-button")
    expect(page.locator("#saved")).to_have_text(re.compile("^Saved"))
    table = pq.read_table(server[1] / "drawn.parquet")
    assert table["text"].to_pylist()[-1] == "loops"
    assert abs(penpal_fast.score(table)[-1] - float(shown)) < 0.002


def test_drawing_by_touch(page):
    box = page.locator("#ink").bounding_box()
    session = page.context.new_cdp_session(page)
    for kind, x in [("touchStart", 60), ("touchMove", 160), ("touchMove", 260), ("touchEnd", None)]:
        points = [] if x is None else [{"x": box["x"] + x, "y": box["y"] + 80 + x % 50}]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    assert settled_score(page)


def test_drawing_with_the_keyboard(page):
    page.focus("#ink")
    moves = "ArrowRight ArrowRight ArrowRight Shift+ArrowDown Shift+ArrowDown"
    for key in f"Space {moves} Space ArrowRight Space ArrowUp Space".split():
        page.keyboard.press(key)
    assert settled_score(page)
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    expect(page.locator("#score")).to_have_text(NOTHING)


def coloured_pixels(page):
    """The number of pixels in the drawing area that are far from grey."""
    page.evaluate("new Promise(requestAnimationFrame)")
    with Image.open(io.BytesIO(page.locator("#ink").screenshot())) as picture:
        colours = np.asarray(picture.convert("RGB")).astype(int)
    return int((np.ptp(colours, axis=2) > 60).sum())


def test_explaining_colours_the_strokes(page):
    page.click("#samples button:last-child")
    settled_score(page)
    plain = coloured_pixels(page)
    with page.expect_response(lambda response: response.url.endswith("/look")) as looked:
        page.keyboard.press("e")
    assert page.locator("#legend").is_visible()
    pulls = looked.value.json()["explanation"]["pulls"]
    sample = page.request.get(f"{page.url}static/samples.json").json()[-1]
    assert len(pulls) == sum(map(len, sample["words"]))
    settled_score(page)
    if max(map(abs, pulls)) > 0.9:  # Otherwise no word matters much to the score.
        assert coloured_pixels(page) > plain + 100
    page.keyboard.press("e")
    assert page.locator("#legend").is_hidden()


def test_the_reading_is_shown_while_the_pen_is_down(page):
    assert page.inner_text("#read") == NOTHING
    box = page.locator("#ink").bounding_box()
    with page.expect_response("**/look"):
        page.mouse.move(box["x"] + 50, box["y"] + 50)
        page.mouse.down()
        for step in range(1, 20):
            page.mouse.move(box["x"] + 50 + 20 * step, box["y"] + 50 + 40 * (step % 2), steps=2)
    expect(page.locator("#readability")).to_have_text(RATED)
    expect(page.locator("#read")).not_to_have_text(NOTHING)
    page.mouse.up()
    page.click("#clear")
    expect(page.locator("#read")).to_have_text(NOTHING)
    expect(page.locator("#readability")).to_have_text(NOTHING)


def compare(page, text):
    """Type a text and return what the page shows: the letters that are marked, and the match."""
    page.fill("#text", text)
    expect(page.locator("#marked")).to_have_text(text.strip())
    expect(page.locator("#result")).to_have_attribute("aria-busy", "false")
    return "".join(page.locator("#marked mark").all_text_contents()), page.inner_text("#match")


def test_letters_that_do_not_fit_are_marked_in_the_text_and_in_the_ink(page):
    page.locator("#rows .line").nth(3).click()
    settled_score(page)
    said = page.inner_text("#read")
    assert len(said) > 1
    marked, match = compare(page, said)
    assert marked == ""
    assert page.locator("#marks-legend").is_hidden()
    plain = coloured_pixels(page)
    wrong = said[:-1] + ("x" if said[-1] != "x" else "y")
    marked, other = compare(page, wrong)
    assert marked.endswith(wrong[-1])
    assert float(other) < float(match)
    assert page.locator("#marks-legend").is_visible()
    marks = coloured_pixels(page)
    assert marks > plain + 100
    page.click("#theme")
    assert coloured_pixels(page) > plain + 100
    page.fill("#text", "")
    expect(page.locator("#match")).to_have_text(NOTHING)
    expect(page.locator("#marks-legend")).to_be_hidden()
    assert coloured_pixels(page) == plain
    assert page.inner_text("#read") == said


def test_a_sample_brings_its_text(page):
    page.click("#samples button:first-child")
    expect(page.locator("#match")).to_have_text(RATED)
    sample = page.request.get(f"{page.url}static/samples.json").json()[0]
    assert page.input_value("#text") == page.inner_text("#marked") == sample["text"]
    page.click("#clear")
    expect(page.locator("#match")).to_have_text(NOTHING)
    assert (page.input_value("#text"), page.inner_text("#marked")) == ("", "")


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("\u4e2d\u6587", "Chinese, Japanese or Korean"),
        ("\u05e9\u05dc\u05d5\u05dd", "from right to left"),
        (HOSTILE, "not in the reader's alphabet"),
    ],
)
def test_a_text_that_cannot_be_compared_has_a_reason(page, text, note):
    page.click("#samples button:first-child")
    score = settled_score(page)
    assert compare(page, text) == ("", NOTHING)
    expect(page.locator("#match-note")).to_contain_text(note)
    assert (page.inner_text("#score"), page.locator("#problem").is_hidden()) == (score, True)
    assert page.locator("img[src=x]").count() == 0


def test_a_text_that_the_ink_is_too_short_for_has_no_marks(page):
    page.click("#samples button:first-child")
    settled_score(page)
    compare(page, "ab" * 400)
    expect(page.locator("#match-note")).to_contain_text("it is too short for it, so no letter is marked")
    assert page.locator("#marked mark").count() == 0


def test_texts_of_a_file_may_be_too_long_to_compare(page, tmp_path):
    pq.write_table(scored_table([0.5], text=["a" * 5000]), tmp_path / "mine.parquet")
    page.set_input_files("#open", tmp_path / "mine.parquet")
    expect(page.locator("#file-name")).to_have_text("mine.parquet")
    page.locator("#rows .line").click()
    settled_score(page)
    expect(page.locator("#match-note")).to_contain_text("too long text: at most 1,000 characters")


def test_letters_outside_the_alphabet_are_told_apart(page):
    """The text is compared by its other letters; one beyond UTF-16's first plane counts once."""
    page.click("#samples button:first-child")
    page.fill("#text", "abcd\N{SLIGHTLY SMILING FACE} efgh")
    expect(page.locator("#match")).to_have_text(RATED)
    expect(page.locator("#marked .unknown")).to_have_text("\N{SLIGHTLY SMILING FACE}")


def test_rows_that_cannot_be_read_are_scored(browser, server):
    read = {"reading": None, "readability": None, "match": None, "letters": [], "text_problem": None}
    answer = {"picture": data_url(np.zeros((256, 256, 1), np.float32)), "checks": [SCORE]}
    answer["read"] = {**read, "problem": "too long to read: 5000 samples"}
    with open_page(browser) as (page, problems):
        page.route("**/look", lambda route: route.fulfill(json=answer))
        page.goto(server[0])
        page.wait_for_selector(READY, state="attached")
        page.click("#samples button:first-child")
        expect(page.locator("#read-note")).to_contain_text("too long to read")
        assert settled_score(page) == "0.750"
        assert page.inner_text("#readability") == NOTHING
        assert problems == []


def test_a_server_without_a_reader(browser, server):
    with open_page(browser) as (page, problems):
        settings = page.request.get(f"{server[0]}settings").json()
        page.route("**/settings", lambda route: route.fulfill(json={**settings, "reader": None}))
        answer = {"picture": data_url(np.zeros((256, 256, 1), np.float32)), "checks": [SCORE], "read": None}
        page.route("**/look", lambda route: route.fulfill(json=answer))
        page.goto(server[0])
        page.wait_for_selector(READY, state="attached")
        page.click("#samples button:first-child")
        assert settled_score(page) == "0.750"
        assert page.locator("#read-row").is_hidden()
        assert page.locator("#match-row").is_hidden()
        assert page.locator("#text").is_visible()
        assert problems == []


@pytest.mark.parametrize("width", [320, 390, 768])
def test_small_screens_have_no_horizontal_scrolling(browser, server, width):
    with open_page(browser, viewport={"width": width, "height": 700}) as (page, problems):
        page.goto(server[0])
        page.wait_for_selector(READY, state="attached")
        page.click("#samples button:first-child")
        settled_score(page)
        compare(page, "w" * 200)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert problems == []


def test_rows_of_the_given_file_can_be_loaded(page):
    assert page.locator("#rows .line").count() == 24
    assert page.inner_text("#place") == "0 to 23 of 60 rows"
    page.click("#next")
    expect(page.locator("#place")).to_have_text("24 to 47 of 60 rows")
    card = page.locator("#rows .line").nth(3)
    expected = card.locator(".score").inner_text()
    card.click()
    assert abs(float(settled_score(page)) - float(expected)) <= 0.001
    assert page.input_value("#text") == "line 27"


def test_a_row_is_reached_by_its_number(page):
    page.fill("#first", "37")
    page.keyboard.press("Enter")
    expect(page.locator("#place")).to_have_text("37 to 59 of 60 rows")
    assert page.locator("#rows .line").first.locator(".caption").inner_text().endswith("row 37")
    page.fill("#first", "60")
    page.keyboard.press("Enter")
    assert not page.locator("#first").evaluate("one => one.checkValidity()")
    page.click("#previous")
    expect(page.locator("#place")).to_have_text("13 to 36 of 60 rows")


def test_large_numbers_are_grouped(browser, server):
    with open_page(browser) as (page, problems):

        def with_many_rows(route):
            answer = route.fetch()
            settings = answer.json()
            route.fulfill(response=answer, json={**settings, "file": {**settings["file"], "rows": 200_000}})

        row = {"row": 123_456, "words": [], "text": None, "score": 0.5, "error": "no points: the row has no points"}
        page.route("**/settings", with_many_rows)
        page.route("**/rows?*", lambda route: route.fulfill(json={"rows": [row]}))
        page.goto(server[0])
        page.wait_for_selector(READY, state="attached")
        page.fill("#first", "123456")
        page.keyboard.press("Enter")
        expect(page.locator("#place")).to_have_text("123,456 to 123,456 of 200,000 rows")
        assert page.locator("#rows .caption").inner_text().endswith("row 123,456")
        assert problems == []


def test_an_uploaded_file(page, tmp_path):
    pq.write_table(scored_table([0.5, None], text=[HOSTILE, HOSTILE]), tmp_path / "mine.parquet")
    page.set_input_files("#open", tmp_path / "mine.parquet")
    expect(page.locator("#file-name")).to_have_text("mine.parquet")
    assert page.locator("#rows .line").count() == 2
    assert page.locator("#rows .line.bad").is_disabled()
    assert page.locator("#rows .line.bad .reason").inner_text().startswith("null")
    assert page.locator("#rows .words").first.text_content() == HOSTILE


def test_an_uploaded_file_of_another_format(page, tmp_path):
    strokes = [[[0, 9], [4, 0], [8, 9]], [[2, 5], [6, 5]]]
    traces = "<trace>0 9, 4 0, 8 9</trace><trace>2 5, 6 5</trace>"
    (tmp_path / "mine.inkml").write_text(f'<ink>{traces}<annotation type="truth">A</annotation></ink>')
    page.set_input_files("#open", tmp_path / "mine.inkml")
    expect(page.locator("#file-name")).to_have_text("mine.inkml")
    assert page.locator("#rows .line").count() == 1
    assert page.locator("#rows .words").text_content() == "A"
    assert abs(float(page.locator("#rows .score").inner_text()) - penpal_fast.score([strokes])[0]) <= 0.001


def test_a_file_that_cannot_be_opened(browser, server, tmp_path):
    (tmp_path / "broken.parquet").write_bytes(b"no Parquet")
    with open_page(browser) as (page, problems):
        page.goto(server[0])
        page.wait_for_selector(READY, state="attached")
        page.set_input_files("#open", tmp_path / "broken.parquet")
        expect(page.locator("#file-empty")).to_contain_text("cannot read it")
        assert all("422" in problem for problem in problems)


def test_a_check_without_thresholds(browser, server):
    """The page says no verdict, and marks no row as dropped."""
    with open_page(browser) as (page, problems):

        def without_thresholds(route):
            answer = route.fetch()
            route.fulfill(response=answer, json={**answer.json(), "thresholds": {}})

        page.route("**/settings", without_thresholds)
        page.goto(server[0])
        page.wait_for_selector(READY, state="attached")
        draw_loops(page, 1)
        settled_score(page)
        assert page.inner_text("#verdict") == ""
        assert page.locator("#rows .line").count() == 24
        assert page.locator("#rows .line.dropped").count() == 0
        assert problems == []


def test_checks_without_a_score_and_with_a_number_as_name(browser, server):
    """The page shows the first check's reason, and the checks in the server's order."""
    number = {"name": "1", "score": 0.25, "error": None}
    checks = [{"name": "ink", "score": None, "error": "too thin: 1 px"}, number]

    picture = data_url(np.zeros((256, 256, 1), np.float32))

    with open_page(browser) as (page, problems):
        page.route("**/look", lambda route: route.fulfill(json={"picture": picture, "checks": checks}))
        page.goto(server[0])
        page.wait_for_selector(READY, state="attached")
        draw_loops(page, 1)
        expect(page.locator("#verdict")).to_have_text("too thin: 1 px")
        assert page.inner_text("#score") == NOTHING
        assert page.locator("#needle").is_hidden()
        assert page.inner_text("#others") == "1 0.250"
        checks[0] = {"name": "ink", "score": 0.75, "error": None}
        draw_loops(page, 1)
        expect(page.locator("#score")).to_have_text("0.750")
        assert page.inner_text("#others") == "1 0.250"
        assert problems == []


def test_a_row_with_a_score_that_cannot_be_drawn(browser, server):
    with open_page(browser) as (page, problems):
        row = {"row": 0, "words": [], "text": None, "score": 0.5, "error": "no points: the row has no points"}
        page.route("**/rows?*", lambda route: route.fulfill(json={"rows": [row]}))
        page.goto(server[0])
        page.wait_for_selector(READY, state="attached")
        line = page.locator("#rows .line")
        assert line.is_disabled()
        assert line.locator(".score").inner_text() == "0.500"
        assert line.locator(".reason").inner_text().startswith("no points")
        assert problems == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_light_and_dark(browser, server, scheme):
    with open_page(browser, color_scheme=scheme) as (page, problems):
        page.goto(server[0])
        page.wait_for_selector(READY, state="attached")
        first = brightness(page)
        assert (first > 128) == (scheme == "light")
        page.click("#theme")
        assert (brightness(page) > 128) != (first > 128)
        assert problems == []


def brightness(page):
    colour = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    return np.mean([int(part) for part in re.findall(r"\d+", colour)[:3]])


@pytest.mark.parametrize("path", ["report", "serve"])
def test_every_control_has_a_name(browser, server, report, path):
    with open_page(browser) as (page, _):
        page.goto(report[0] if path == "report" else server[0])
        page.wait_for_selector(READY, state="attached")
        nameless = page.evaluate(
            """() => [...document.querySelectorAll("button, input, canvas, [role=img], output")].filter(element =>
                !(element.textContent.trim() || element.ariaLabel || element.labels?.length || element.title
                  || element.tagName === "OUTPUT")).map(element => element.outerHTML)"""
        )
        assert nameless == []


QUALITY = np.random.default_rng(7).uniform(size=300).astype(np.float32)


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """A report on two files: its address and its path."""
    folder = tmp_path_factory.mktemp("report")
    texts = [HOSTILE] * 150 + ["a line"] * 150
    table = scored_table([*QUALITY[:299], None], text=texts, author=[HOSTILE, "b"] * 150)
    pq.write_table(table, folder / "one.parquet")
    pq.write_table(scored_table(QUALITY[:40]), folder / "two.parquet")
    path = folder / "report.html"
    write_report([folder / "one.parquet", folder / "two.parquet"], path, checks=[QualityCheck()])
    return path.as_uri(), path


@pytest.fixture
def report_page(browser, report):
    """The report, opened offline; it must not request anything."""
    with open_page(browser, viewport={"width": 1200, "height": 900}, offline=True) as (page, problems):
        requests = []
        page.on("request", lambda request: requests.append(request.url))
        page.goto(report[0])
        page.wait_for_selector(READY, state="attached")
        yield page
        assert problems == []
        assert [url for url in requests if not url.startswith("data:")] == [report[0]]


def shown_counts(page):
    return [page.inner_text(f"[data-kept='{index}']") for index in range(2)]


def expected_counts(threshold):
    texts = []
    for quality, bad in ((QUALITY[:299], " · 1 bad"), (QUALITY[:40], "")):
        kept = int((quality >= np.float32(threshold)).sum())
        texts.append(f"{kept} of {len(quality)} kept · {len(quality) - kept} dropped{bad}")
    return texts


def test_the_slider_counts_what_it_keeps(report_page):
    assert shown_counts(report_page) == expected_counts(min(THRESHOLDS.values()))
    report_page.focus("[data-slider]")
    for _ in range(7):
        report_page.keyboard.press("ArrowRight")
    threshold = float(report_page.input_value("[data-exact]"))
    assert threshold == pytest.approx(min(THRESHOLDS.values()) + 0.007)
    assert shown_counts(report_page) == expected_counts(threshold)
    report_page.fill("[data-exact]", "0.912")
    assert shown_counts(report_page) == expected_counts(0.912)
    assert report_page.input_value("[data-slider]") == "0.912"
    for threshold in THRESHOLDS.values():
        report_page.click(f"[data-threshold='{threshold}']")
        assert shown_counts(report_page) == expected_counts(threshold)


def test_a_report_on_scores_without_thresholds(browser, tmp_path):
    class Plain(QualityCheck):
        thresholds = {}  # noqa: RUF012

    table = scored_table(QUALITY[:40]).append_column("quality_note", pa.nulls(40, pa.string()))
    described = checked_schema(table.schema, [Plain()])
    pq.write_table(table.cast(described), tmp_path / "one.parquet")
    write_report([tmp_path / "one.parquet"], tmp_path / "report.html", checks=[Plain()])
    with open_page(browser, offline=True) as (page, problems):
        page.goto((tmp_path / "report.html").as_uri())
        page.wait_for_selector(READY, state="attached")
        assert page.locator("[data-threshold]").count() == 0
        assert page.input_value("[data-slider]") == "0.5"
        assert page.locator("th", has_text="kept at or above").count() == 0
        page.fill("[data-exact]", "0.9")
        assert "dropped" in page.inner_text("[data-kept='0']")
        assert problems == []


def test_dropped_lines_are_marked(report_page):
    report_page.fill("[data-exact]", "0.5")
    lines = report_page.locator(".line").evaluate_all(
        "lines => lines.map(line => [Number(line.dataset.score), line.classList.contains('dropped')])"
    )
    assert {dropped for _, dropped in lines} == {True, False}
    assert all(dropped == (score < 0.5) for score, dropped in lines)


def test_charts_follow_the_slider(report_page):
    chart = report_page.locator("[data-chart='histogram-0'] svg")
    before = chart.inner_html()
    report_page.fill("[data-exact]", "0.8")
    expect(chart).not_to_have_js_property("innerHTML", before)


def test_rows_with_a_score_of_1_are_kept_by_a_threshold_of_1(browser, tmp_path):
    pq.write_table(scored_table([1.0] * 5 + [0.995]), tmp_path / "scored.parquet")
    write_report([tmp_path / "scored.parquet"], tmp_path / "report.html", checks=[QualityCheck()])
    with open_page(browser) as (page, problems):
        page.goto((tmp_path / "report.html").as_uri())
        page.wait_for_selector(READY, state="attached")
        page.fill("[data-exact]", "1")
        assert page.inner_text("[data-kept='0']") == "5 of 6 kept · 1 dropped"
        kept = page.locator("[data-chart='histogram-0'] path[fill='var(--kept)']")
        expect(kept).to_have_count(1)
        heights = [
            page.locator(f"[data-chart='histogram-0'] path[fill='var(--{name})']").evaluate_all(
                "bars => Math.max(...bars.map(bar => bar.getBBox().height))"
            )
            for name in ("kept", "dropped")
        ]
        assert heights[0] / heights[1] == pytest.approx(5 / 6, abs=0.01)
        assert problems == []  # Vega says nothing of an infinite extent.


def test_a_dark_report_is_printed_on_light_paper(report_page):
    if brightness(report_page) > 128:
        report_page.click("#theme")
    assert brightness(report_page) < 128
    bar = report_page.locator("[data-chart='histogram-0'] path[fill='var(--kept)']").first
    dark = bar.evaluate("one => getComputedStyle(one).fill")
    report_page.emulate_media(media="print")
    assert brightness(report_page) > 128
    assert bar.evaluate("one => getComputedStyle(one).fill") != dark
    report_page.emulate_media(media="screen")
    assert brightness(report_page) < 128


def test_charts_are_drawn_when_they_become_visible(report_page):
    charts = report_page.locator("[data-chart]")
    assert charts.count() == 5
    for index in range(charts.count()):
        charts.nth(index).scroll_into_view_if_needed()
        expect(charts.nth(index).locator("svg")).to_be_visible()


def test_the_picture_that_the_network_saw(report_page):
    line = report_page.locator(".line").first
    assert report_page.locator("#raster").is_hidden()
    line.hover()
    assert report_page.locator("#raster").is_visible()
    size = report_page.locator("#raster img").evaluate(
        "async image => { await image.decode(); return image.naturalWidth; }"
    )
    assert size == 256
    report_page.keyboard.press("Escape")
    assert report_page.locator("#raster").is_hidden()
    line.focus()
    assert report_page.locator("#raster").is_visible()


def test_hostile_text_is_not_markup(report_page):
    texts = report_page.locator(".line .text").evaluate_all("texts => texts.map(text => text.textContent)")
    assert " ".join(HOSTILE.split()) in texts
    assert report_page.locator("img[src=x]").count() == 0


def test_the_report_changes_its_theme(report_page):
    before = brightness(report_page)
    report_page.click("#theme")
    assert (brightness(report_page) > 128) != (before > 128)


def test_the_score_stays_in_sight_on_a_telephone(browser, server):
    with open_page(browser, viewport={"width": 390, "height": 844}, has_touch=True) as (page, problems):
        page.goto(server[0])
        page.wait_for_selector(READY, state="attached")
        page.locator("#ink").evaluate("one => one.scrollIntoView({block: 'center'})")
        draw_loops(page, 3)
        settled_score(page)
        ink, score = (page.locator(one).bounding_box() for one in ("#ink", "#score"))
        assert score["y"] >= 0
        assert score["y"] + score["height"] <= ink["y"] < ink["y"] + ink["height"] <= 844
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert problems == []


def test_bad_rows_have_another_colour_than_kept_ones(page, server):
    table = scored_table([0.9, None])
    pq.write_table(table, server[1] / "bad.parquet")
    page.set_input_files("#open", server[1] / "bad.parquet")
    expect(page.locator("#file-name")).to_have_text("bad.parquet")
    page.evaluate("document.querySelectorAll('#rows .line')[0].className = 'line'")  # A kept row, whatever its score.
    colours = [
        page.locator("#rows .line .score").nth(row).evaluate("one => getComputedStyle(one).color") for row in (0, 1)
    ]
    assert page.locator("#rows .line").nth(1).get_attribute("class") == "line bad"
    assert colours[0] != colours[1]


def test_a_printed_report_has_all_its_charts(browser, tmp_path):
    table = scored_table(np.linspace(0, 1, 200), text=["a" * (row % 30) for row in range(200)], source=["b", "c"] * 100)
    pq.write_table(table, tmp_path / "scored.parquet")
    write_report([tmp_path / "scored.parquet"], tmp_path / "report.html", checks=[QualityCheck()])
    with open_page(browser, viewport={"width": 1200, "height": 500}) as (page, problems):
        page.goto((tmp_path / "report.html").as_uri())
        page.wait_for_selector("html[data-drawn]", state="attached")
        charts = page.locator("[data-chart]")
        assert page.locator("[data-chart] svg").count() == charts.count() > 2
        page.emulate_media(media="print")
        page.set_viewport_size({"width": 700, "height": 900})
        for chart in charts.all():
            box = chart.locator("svg").bounding_box()
            assert 100 < box["width"] <= 700
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= 701
        pdf = page.pdf(format="A4")
        assert pdf.startswith(b"%PDF")
        assert problems == []


@pytest.mark.parametrize("is_watched", [True, False], ids=["watched", "without IntersectionObserver"])
def test_what_nobody_scrolled_to_is_drawn_too(browser, tmp_path, is_watched):
    table = scored_table(np.linspace(0, 1, 200), text=["a" * (row % 30) for row in range(200)], source=["b", "c"] * 100)
    pq.write_table(table, tmp_path / "scored.parquet")
    write_report([tmp_path / "scored.parquet"], tmp_path / "report.html", checks=[QualityCheck()])
    with open_page(browser, viewport={"width": 1200, "height": 500}) as (page, problems):
        if not is_watched:
            page.add_init_script("delete window.IntersectionObserver")
        page.goto((tmp_path / "report.html").as_uri())
        page.wait_for_selector("html[data-drawn]", state="attached")
        assert page.locator("[data-chart] svg").count() == page.locator("[data-chart]").count() > 2
        hidden = page.evaluate(
            "[...document.querySelectorAll('.line svg')]"
            ".map((one) => one.checkVisibility({ contentVisibilityAuto: true })).filter((one) => !one).length"
        )
        assert page.locator(".line svg").count() > 20
        assert page.evaluate("scrollY") == 0
        assert hidden == 0
        assert problems == []
