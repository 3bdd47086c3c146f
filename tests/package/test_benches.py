"""The benchmarks as commands: their options, and how they end."""

from __future__ import annotations

import ast
import importlib
import os
import subprocess
import sys

import pytest

from helpers.paths import ROOT

BENCHES = ROOT / "benches"
pytestmark = pytest.mark.skipif(not BENCHES.exists(), reason="the source distribution lacks the benchmarks")


def run(name, *arguments):
    command = [sys.executable, str(BENCHES / f"{name}.py"), *map(str, arguments)]
    paths = os.pathsep.join([str(ROOT / "tests"), *filter(None, [os.environ.get("PYTHONPATH")])])
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": paths})


@pytest.fixture
def bench(monkeypatch):
    monkeypatch.syspath_prepend(BENCHES)
    return importlib.import_module


def test_each_description_begins_with_a_line_that_is_a_sentence():
    texts = {path.name: ast.get_docstring(ast.parse(path.read_text())) for path in BENCHES.glob("*.py")}
    assert [name for name, text in texts.items() if not text.partition("\n")[0].endswith(".")] == []


@pytest.mark.parametrize("name", ["look", "memory"])
def test_help_says_what_each_option_is(name):
    done = run(name, "--help")
    assert done.returncode == 0, done.stderr
    assert {"look": "Parquet files that", "memory": "how often the larger"}[name] in done.stdout


@pytest.mark.parametrize("arguments", [["--rows", "0"], ["--rounds", "-1"], ["--rows", "many"]])
def test_options_without_rows_or_rounds_are_wrong_usage(arguments):
    done = run("layers", *arguments)
    assert done.returncode == 2
    assert f"argument {arguments[0]}: '{arguments[1]}' is not a whole number from 1 on" in done.stderr


@pytest.mark.parametrize(
    ("sizes", "rows", "workers", "expected"),
    [([1, 8, 32], 256, 2, [1, 8, 32]), ([1, 8, 32], 8, 2, [1, 4]), ([16], 5, 2, [3]), ([8], 1, 2, [1])],
)
def test_batches_leave_rows_for_each_worker(bench, sizes, rows, workers, expected):
    assert bench("measuring").batch_sizes(sizes, rows, workers) == expected


def test_a_benchmark_that_failed_is_named(tmp_path):
    nothing = tmp_path / "no.parquet"
    done = run("tables", nothing, "-o", tmp_path / "tables.md", "--quick", "--only", "layers", "startup")
    assert done.returncode == 1
    assert "failed: layers, startup; " in done.stderr
    assert "FileNotFoundError" in (tmp_path / "tables.md").read_text()


def test_the_memory_of_the_highest_round_is_printed(bench, monkeypatch, capsys):
    memory = bench("memory")
    peaks = iter([10e6, 30e6, 20e6, 40e6])
    monkeypatch.setattr(memory, "peak_bytes", lambda _lines, _output: next(peaks))
    monkeypatch.setattr(memory, "elsewhere", lambda work, *arguments: work(*arguments))
    lines = str(ROOT / "examples" / "lines.parquet")
    monkeypatch.setattr(sys, "argv", ["memory.py", lines, "--rows", "2", "--rounds", "2", "--times", "3"])
    memory.main()
    assert capsys.readouterr().out == "2 rows: peak 30 MB\n6 rows: peak 40 MB\n"


def test_each_job_is_measured_in_a_process_of_its_own(bench, monkeypatch):
    bulk = bench("bulk")
    works = []
    monkeypatch.setattr(bulk, "elsewhere", lambda work, *_arguments: works.append(work))
    monkeypatch.setattr(sys, "argv", ["bulk.py"])
    bulk.main()
    assert works == [bulk.make_rows, bulk.report, bulk.report]


def test_a_recognizer_of_pictures_reads_in_processes(bench, monkeypatch):
    """Without RapidOCR: the pool is a plain map, and the recognizer says how wide a picture is."""
    recognizers = bench("recognizers")

    class Pool:
        def map(self, work, parts, chunksize):
            assert chunksize == 1
            assert len(parts) == 2
            return [work(part) for part in parts]

    class Widths:
        def read(self, pictures):
            return [str(picture) for picture in pictures], [picture / 10 for picture in pictures]

    processes = recognizers.RapidOcrProcesses.__new__(recognizers.RapidOcrProcesses)
    processes._pool, processes._processes, processes._rows = Pool(), 2, 3
    monkeypatch.setitem(recognizers._worker, "recognizer", Widths())
    texts, sureness = processes.read([1, 2, 3])
    assert texts == ["1", "2", "3"]
    assert sureness.tolist() == pytest.approx([0.1, 0.2, 0.3])
