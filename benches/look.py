"""What a person waits for: the report to open, and the score to follow the pen.

    PYTHONPATH=tests python benches/look.py SCORED.parquet...

Needs Chromium and the extra `look`. Each figure is from one visit in a fresh browser context, without a network.
"""

from __future__ import annotations

import argparse
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from helpers.chromium import draw_loops, open_browser, open_page
from penpal_fast import QualityCheck
from penpal_fast.look.report.writing import write_report

READY = "html[data-ready]"
VISITS = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("scored", nargs="+", type=Path, help="Parquet files that penpal-fast score wrote")
    measure(parser.parse_args().scored)


def measure(scored: list[Path]) -> None:
    with tempfile.TemporaryDirectory() as work, open_browser() as browser:
        report = Path(work) / "report.html"
        started = time.perf_counter()
        write_report(scored, report, checks=[QualityCheck()])
        print(f"report: written in {time.perf_counter() - started:.1f} s, {report.stat().st_size / 1e6:.1f} MB")
        visits = [opening(browser, report.as_uri()) for _ in range(VISITS)]
        shown, busy = (statistics.median(times) for times in zip(*visits, strict=True))
        print(f"report: shown after {shown:.2f} s, of which its thread computed {busy:.2f} s (medians of {VISITS})")
        serve = [sys.executable, "-m", "penpal_fast", "serve", "--port", "0"]
        with subprocess.Popen(serve, stdout=subprocess.PIPE, text=True) as server:
            address = re.search(r"http://\S+", server.stdout.readline()).group()
            rate, moves = drawing(browser, address)
            print(f"live page: {rate:.0f} updates/s while drawing, {moves:.0f} movements of the mouse/s")
            server.terminate()


def opening(browser, address: str) -> tuple[float, float]:
    """Seconds until what is in sight is shown, and the processor's time that the page's thread took for it."""
    with open_page(browser, viewport={"width": 1280, "height": 900}, offline=True) as (page, _):
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable", {"timeDomain": "threadTicks"})
        started = time.perf_counter()
        page.goto(address)
        page.wait_for_selector(READY, state="attached")
        shown = time.perf_counter() - started
        metrics = session.send("Performance.getMetrics")["metrics"]
        return shown, next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration")


def drawing(browser, address: str) -> tuple[float, float]:
    """Answers shown per second while a line is drawn, and movements of the mouse that Chromium took per second."""
    with open_page(browser, viewport={"width": 1280, "height": 900}) as (page, _):
        page.goto(address)
        page.wait_for_selector(READY, state="attached")
        draw_loops(page, 1)
        page.evaluate(
            "() => { window.updates = 0; new MutationObserver(() => window.updates++)"
            ".observe(document.getElementById('speed'), {childList: true}); }"
        )
        started = time.perf_counter()
        draw_loops(page, 12)
        seconds = time.perf_counter() - started
        return page.evaluate("window.updates") / seconds, 12 * 40 / seconds


if __name__ == "__main__":
    main()
