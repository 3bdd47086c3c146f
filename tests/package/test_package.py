"""The package as a user meets it: names, laziness, files."""

from __future__ import annotations

import importlib.metadata
import shutil
import subprocess
import sys
from importlib import resources
from pathlib import Path

import pytest

import penpal_fast
from penpal_fast import interpreters


def run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.strip()


def test_importing_and_rendering_do_not_import_mlx():
    code = (
        "import sys, penpal_fast; penpal_fast.render_strokes([[(0, 0), (1, 1)]]); penpal_fast.PenpalError; "
        "penpal_fast.reference; print('mlx' in sys.modules or 'mlx.core' in sys.modules)"
    )
    assert run(code) == "False"


def test_a_sub_interpreter_is_refused():
    """PyArrow's import would wait there forever."""
    known = pytest.importorskip(interpreters.KNOWN_BY, reason="this Python has no sub-interpreters").__name__
    tried = "try:\n  import penpal_fast\nexcept ImportError as error:\n  print(error)"
    inside = f"import sys; sys.path[:] = {sys.path!r}\n{tried}"
    code = f"import {known} as known; known.run_string(known.create(), {inside!r})"
    assert run(code).startswith("penpal_fast does not work in a sub-interpreter of Python")
    assert interpreters.is_main_interpreter()


@pytest.mark.parametrize("name", penpal_fast.__all__)
def test_every_public_name_is_there(name):
    assert getattr(penpal_fast, name) is not None
    assert name in dir(penpal_fast)


def test_the_version_is_the_one_that_is_installed():
    assert penpal_fast.__version__ == importlib.metadata.version("penpal-fast")


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="attribute scores"):
        penpal_fast.scores  # noqa: B018


def test_the_error_is_a_value_error():
    assert issubclass(penpal_fast.PenpalError, ValueError)


def test_files_that_belong_to_the_package():
    files = resources.files("penpal_fast")
    package = ("py.typed", "_core.pyi", "pretrained/config.json", "pretrained/weights.safetensors")
    pages = ("theme.css", "report/page.html", "report/page.css", "report/page.js", "serve/static/page.html")
    for name in (*package, *(f"look/{page}" for page in pages)):
        assert files.joinpath(name).is_file(), name


def test_a_forked_child_renders():
    code = (
        "import os, numpy as np, penpal_fast\n"
        "out = np.empty((8, 256, 256, 1), dtype=np.float32)\n"
        "rows = [[[(0, 0), (1, 1)]]] * 8\n"
        "penpal_fast.render_into(rows, out)\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    penpal_fast.render_into(rows, out)\n"
        "    os._exit(0)\n"
        "print(os.waitpid(child, 0)[1])\n"
    )
    assert run(code) == "0"


def test_a_zip_file_is_refused(tmp_path):
    archive = shutil.make_archive(tmp_path / "penpal_fast", "zip", Path(penpal_fast.__file__).parents[1], "penpal_fast")
    code = f"import sys; sys.path.insert(0, {archive!r}); import penpal_fast"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 1
    assert "ImportError: penpal_fast cannot be imported from a zip file" in done.stderr


def test_a_python_without_its_lock_is_refused():
    without = "import sys; sys._is_gil_enabled = lambda: False; import penpal_fast"
    done = subprocess.run([sys.executable, "-c", without], capture_output=True, text=True)
    assert done.returncode == 1
    assert "ImportError: penpal_fast does not work without Python's global interpreter lock: start" in done.stderr
    with_lock = without.replace("False", "True")
    assert subprocess.run([sys.executable, "-c", with_lock]).returncode == 0
