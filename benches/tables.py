"""Run the benchmarks whose tables are in README.md, one after the other, into one file of text and Markdown tables.

    python benches/tables.py -o tables.md [--only network score] [--quick] [LINES.parquet]

Nothing else should run on the machine meanwhile.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
import shutil
import subprocess
import sys
import time
from pathlib import Path

from measuring import ROOT, default_lines

COMMANDS = {
    "render": [],
    "network": ["--rows", "256", "--rounds", "5"],
    "score": ["--rows", "1000", "--mlx-rows", "32"],
    "read": [],
    "training": [],
    "layers": ["--rows", "50", "--rounds", "60"],
    "scaling": [],
    "memory": [],
    "startup": [],
    "bulk": [],
    "kill": ["--rows", "200000", "--kills", "20"],
}
"""What each benchmark is given, in the order of the tables."""

QUICK = {"bulk": ["--rows", "2000"], "kill": ["--rows", "2000", "--kills", "1"]}
QUICK_ELSE = ["--rows", "8", "--rounds", "1"]

PACKAGES = [
    *("penpal-fast", "numpy", "pyarrow", "mlx", "onnx", "onnxruntime", "ai-edge-litert", "openvino", "torch"),
    *("aggdraw", "blend2d-python", "opencv-python-headless", "cairocffi", "skia-python", "pillow", "rapidocr"),
]

LEVELS = {
    "AVX-512": {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"},
    "AVX2": {"avx2", "fma"},
    "NEON": {"asimd"},
}
"""Widest vectors first, with the names that Linux has for them."""


def machine() -> list[str]:
    """Describe the machine: processor, vectors, memory, system, versions."""
    cpuinfo = Path("/proc/cpuinfo")
    fields = dict.fromkeys(["model name", "flags", "Features"], "")
    if cpuinfo.exists():
        pairs = (line.partition(":")[::2] for line in cpuinfo.read_text().splitlines())
        fields |= {name.strip(): text.strip() for name, text in pairs}
    flags = set((fields["flags"] or fields["Features"]).split())
    level = next((name for name, needed in LEVELS.items() if needed <= flags), "unknown")
    vnni = "with" if flags & {"avx512_vnni", "avx_vnni"} else "without"
    return [
        f"- processor: {fields['model name'] or platform.processor() or platform.machine()}",
        f"- vectors: {level}, {vnni} VNNI (8-bit dot products)",
        f"- system: {platform.platform()}, CPython {platform.python_version()}{rust_version()}",
        f"- load before the run: {load()}",
        f"- packages: {', '.join(versions())}",
    ]


def rust_version() -> str:
    compiler = shutil.which("rustc")
    if compiler is None:
        return ""
    return ", " + subprocess.run([compiler, "--version"], capture_output=True, text=True, check=True).stdout.strip()


def load() -> str:
    return f"{os.getloadavg()[0]:.2f} on {os.cpu_count()} processors"


def versions() -> list[str]:
    found = []
    for name in PACKAGES:
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def run(name: str, arguments: list[str], lines: list[str]) -> tuple[str, bool]:
    """Run a benchmark.

    Returns:
        A section of Markdown with all that it printed, and the end of its errors where it failed; whether it worked.
    """
    command = [sys.executable, f"benches/{name}.py", *lines, *arguments]
    start = time.perf_counter()
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    shown = " ".join(["python", *command[1:2], *arguments])
    failed = "" if done.returncode == 0 else f"\nfailed, exit {done.returncode}:\n\n    {done.stderr.strip()[-2000:]}\n"
    text = "\n".join(line.strip() for line in done.stdout.splitlines())
    return f"## `{shown}`\n\n{text.strip()}\n{failed}\n{time.perf_counter() - start:.0f} s\n\n", not failed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("lines", nargs="?", type=Path, default=default_lines())
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--only", nargs="+", choices=COMMANDS, metavar="NAME", default=list(COMMANDS))
    parser.add_argument("--quick", action="store_true", help="a few rows each, to see that they run")
    options = parser.parse_args()
    failed = []
    with options.output.open("w", encoding="utf-8") as file:
        file.write(f"# Benchmarks, {time.strftime('%Y-%m-%d')}\n\n" + "\n".join(machine()) + "\n\n")
        for name in options.only:
            arguments = QUICK.get(name, QUICK_ELSE) if options.quick else COMMANDS[name]
            print(name, flush=True)
            section, worked = run(name, arguments, [str(options.lines.resolve())])
            file.write(section)
            file.flush()
            if not worked:
                failed.append(name)
    if failed:
        raise SystemExit(f"failed: {', '.join(failed)}; {options.output} has their errors")


if __name__ == "__main__":
    main()
