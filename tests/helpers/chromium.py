"""A real Chromium for the tests of the report and the live page."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator

from playwright.sync_api import Browser, Page

ARGUMENTS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
"""A container has no sandbox, often little shared memory, and no display."""

NAMES = ("chromium", "chromium-browser", "google-chrome")


def chromium_path() -> str | None:
    """Where the system's Chromium is, if there is one."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


@contextlib.contextmanager
def open_browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=ARGUMENTS)
        yield browser
        browser.close()


@contextlib.contextmanager
def open_page(browser: Browser, **settings) -> Iterator[tuple[Page, list[str]]]:
    """A page, and what went wrong on it: console errors and warnings, exceptions and dialogs."""
    with browser.new_context(**settings) as context:
        page = context.new_page()
        page.set_default_timeout(60_000)
        problems: list[str] = []

        def dismiss(dialog):
            problems.append(f"dialog: {dialog.message}")
            dialog.dismiss()

        page.on("console", lambda message: message.type in ("error", "warning") and problems.append(message.text))
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("dialog", dismiss)
        yield page, problems


def draw_loops(page: Page, loops: int, points: int = 40) -> None:
    """Draw a stroke of loops with the mouse, from left to right."""
    box = page.locator("#ink").bounding_box()
    left, middle = box["x"] + 60, box["y"] + box["height"] / 2
    for index in range(points * loops + 1):
        along, turn = index / points, index % points / points
        height = 35 * (1 - 4 * abs(turn - 0.5))
        page.mouse.move(left + 50 * along + 12 * (0.5 - abs(turn - 0.5)), middle + height)
        if index == 0:
            page.mouse.down()
    page.mouse.up()
