"""The map of two scores in a real Chromium."""

from __future__ import annotations

import numpy as np
import pyarrow.parquet as pq
import pytest

from helpers.chromium import chromium_path, open_browser, open_page
from helpers.scored_lines import HOSTILE, matched_table
from helpers.told_reader import ToldReader
from penpal_fast import QualityCheck
from penpal_fast.checks.text_match import TextCheck
from penpal_fast.checks.thresholds import THRESHOLDS
from penpal_fast.look.report.writing import write_report

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
pytestmark = pytest.mark.skipif(chromium_path() is None, reason="there is no Chromium: apt-get install chromium")

expect = sync_api.expect
expect.set_options(timeout=60_000)

READY = "html[data-ready]"
RANDOM = np.random.default_rng(9)
QUALITY, MATCH = RANDOM.uniform(size=(2, 400)).astype(np.float32)
MATCH[0] = 1


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """A report on two files with two scores each."""
    folder = tmp_path_factory.mktemp("report")
    texts = [HOSTILE] * 200 + ["a fine"] * 200
    pq.write_table(matched_table(QUALITY, MATCH.tolist(), texts), folder / "one.parquet")
    pq.write_table(matched_table(QUALITY[:50], MATCH[:50].tolist(), texts[:50]), folder / "two.parquet")
    checks = [QualityCheck(), TextCheck(reader=ToldReader(f"a line {HOSTILE}"))]
    write_report([folder / "one.parquet", folder / "two.parquet"], folder / "report.html", checks=checks)
    return (folder / "report.html").as_uri()


@pytest.fixture(scope="module")
def browser():
    with open_browser() as browser:
        yield browser


@pytest.fixture
def page(browser, address):
    with open_page(browser, viewport={"width": 1200, "height": 900}, offline=True) as (page, problems):
        page.goto(address)
        page.wait_for_selector(READY, state="attached")
        yield page
        assert problems == []


def shown_counts(page, number):
    places = page.locator(f"[data-map='{number}'] [data-count]")
    texts = places.evaluate_all("places => places.map(place => [place.dataset.count, place.textContent])")
    return {name: int(text.split(" · ")[0]) for name, text in texts}


def expected_counts(x, y, rows):
    by_x, by_y = QUALITY[:rows] >= np.float32(x), MATCH[:rows] >= np.float32(y)
    both = {"both": by_x & by_y, "onlyX": by_x & ~by_y, "onlyY": ~by_x & by_y, "neither": ~by_x & ~by_y}
    return {name: int(chosen.sum()) for name, chosen in both.items()}


def assert_thresholds(page, x, y):
    assert shown_counts(page, 0) == expected_counts(x, y, 400)
    assert shown_counts(page, 1) == expected_counts(x, y, 50)
    assert float(page.input_value("[data-exact-axis='x']")) == pytest.approx(x)
    assert float(page.input_value("[data-exact-axis='y']")) == pytest.approx(y)
    for number in (0, 1):
        for axis, value in (("x", x), ("y", y)):
            slider = page.locator(f"[data-map='{number}'] [data-slider-axis='{axis}']")
            assert float(slider.input_value()) == pytest.approx(value)
    kept = int((np.float32(x) <= QUALITY).sum())
    assert f"{kept} of 400 kept" in page.inner_text("[data-name='quality'] [data-kept='0']")
    kept = int((np.float32(y) <= MATCH).sum())
    assert f"{kept} of 400 kept" in page.inner_text("[data-name='text_match'] [data-kept='0']")


def test_the_counts_follow_every_control(page):
    start = THRESHOLDS["lenient"]
    assert_thresholds(page, start, 0.5)
    page.focus("[data-map='1'] [data-slider-axis='x']")
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    assert_thresholds(page, start + 0.03, 0.5)
    page.focus("[data-map='0'] [data-slider-axis='y']")
    page.keyboard.press("ArrowUp")
    assert_thresholds(page, start + 0.03, 0.51)
    page.fill("[data-exact-axis='x']", "0.9")
    page.click("[data-preset-axis='y'][value='0.7']")
    assert_thresholds(page, 0.9, 0.7)
    page.fill("[data-name='text_match'] [data-exact]", "0.25")
    page.click("[data-name='quality'] [data-threshold='0.3']")
    assert_thresholds(page, 0.3, 0.25)


def test_the_line_of_a_threshold_is_at_its_slider(page):
    page.fill("[data-exact-axis='x']", "0.8")
    page.fill("[data-exact-axis='y']", "0.1")
    plot = page.locator("[data-map='0'] .plot").bounding_box()
    upright = page.locator("[data-map='0'] .rule-x").bounding_box()
    level = page.locator("[data-map='0'] .rule-y").bounding_box()
    assert upright["x"] + upright["width"] / 2 == pytest.approx(plot["x"] + 0.8 * plot["width"], abs=2)
    assert level["y"] + level["height"] / 2 == pytest.approx(plot["y"] + 0.9 * plot["height"], abs=2)
    both, wrong = (page.locator(f"[data-map='0'] .density .{name}").bounding_box() for name in ("both", "only-x"))
    assert both["width"] / plot["width"] == pytest.approx(0.2, abs=0.01)
    assert wrong["height"] / plot["height"] == pytest.approx(0.1, abs=0.01)


def test_a_ring_shows_its_row(page):
    place = page.locator("[data-map='0']")
    shown = place.locator("[data-row]:visible")
    assert shown.count() == 1
    spots = place.locator(".spot")
    pressed = place.locator(".spot[aria-pressed='true']")
    assert spots.count() > 20
    for index in (0, 7):
        spots.nth(index).focus()
        page.keyboard.press("Enter")
        assert pressed.count() == shown.count() == 1
        assert pressed.get_attribute("data-spot") == shown.get_attribute("data-row") == str(index)
        row = shown.locator(".row").inner_text().removeprefix("row ")
        assert f"Look at row {row}: " in spots.nth(index).get_attribute("aria-label")
        assert f"{QUALITY[int(row)]:.3f}" in shown.inner_text()


def test_dropped_rows_are_marked(page):
    page.fill("[data-exact-axis='x']", "0.4")
    page.fill("[data-exact-axis='y']", "0.2")
    lines = page.locator("[data-pair] .line").evaluate_all(
        "lines => lines.map(({dataset: {x, y}, classList}) => [Number(x), Number(y), classList.contains('dropped')])"
    )
    assert {dropped for *_, dropped in lines} == {True, False}
    assert all(dropped == (x < 0.4 or y < np.float32(0.2)) for x, y, dropped in lines)


def test_hostile_texts_are_not_markup(page):
    texts = page.locator("[data-pair] .says span:last-child").evaluate_all("all => all.map(one => one.textContent)")
    assert HOSTILE in texts
    assert f"a line {HOSTILE}" in texts
    assert page.locator("img[src=x]").count() == 0


def test_everything_that_can_be_used_has_a_name(page):
    nameless = page.locator("[data-pair] :is(button, input)").evaluate_all(
        """elements => elements.filter(element =>
            !(element.textContent.trim() || element.ariaLabel || element.labels?.length)).map(one => one.outerHTML)"""
    )
    assert nameless == []


def test_a_narrow_page_does_not_scroll_sideways(browser, address):
    with open_page(browser, viewport={"width": 400, "height": 800}, offline=True) as (page, problems):
        page.goto(address)
        page.wait_for_selector(READY, state="attached")
        assert page.evaluate("document.documentElement.scrollWidth") <= 400
        assert problems == []
