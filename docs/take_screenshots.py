"""Takes the pictures of the report and the live page for README.md and docs/look.md. Needs Chromium.

PYTHONPATH=tests python docs/take_screenshots.py examples/lines.parquet docs
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from helpers.chromium import open_browser, open_page

COMMAND = [sys.executable, "-m", "penpal_fast"]
READY = "html[data-ready]"
SIZE = {"width": 1240, "height": 1130}


def main(lines: Path, folder: Path) -> None:
    with tempfile.TemporaryDirectory() as work, open_browser() as browser:
        scored, report = Path(work) / "lines.parquet", Path(work) / "report.html"
        subprocess.run([*COMMAND, "score", str(lines), "--text", "text", "-o", str(scored)], check=True)  # noqa: S603
        subprocess.run([*COMMAND, "report", str(scored), "--by", "corruption", "-o", str(report)], check=True)  # noqa: S603
        with open_page(browser, viewport=SIZE, device_scale_factor=1.5) as (page, _):
            page.goto(report.as_uri())
            page.wait_for_selector(READY, state="attached")
            page.screenshot(path=folder / "report.png")
            page.locator("[aria-labelledby=wrong-0]").evaluate("section => section.scrollIntoView()")
            page.screenshot(path=folder / "report_wrong.png")
            page.locator(".explained .gallery-head").first.evaluate("head => head.scrollIntoView()")
            page.locator(".explained .line").nth(1).hover()
            page.screenshot(path=folder / "report_lines.png")
        serve = [*COMMAND, "serve", str(scored), "--save", str(Path(work) / "drawn.parquet"), "--port", "0"]
        with subprocess.Popen(serve, stdout=subprocess.PIPE, text=True) as server:  # noqa: S603
            address = re.search(r"http://\S+", server.stdout.readline()).group()
            with open_page(browser, viewport={**SIZE, "height": 960}, device_scale_factor=1.5) as (page, _):
                page.goto(address)
                page.wait_for_selector(READY, state="attached")
                page.click("#samples button:nth-child(3)")
                page.click("#explain")
                page.wait_for_selector("#result[aria-busy=false]")
                page.mouse.move(0, 0)
                page.evaluate("document.activeElement.blur()")
                page.screenshot(path=folder / "live_page.png")
            server.terminate()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
