# Recipes for working on penpal_fast; CONTRIBUTING.md has each as a plain command. `just` lists them.

export PIP_CONSTRAINT := justfile_directory() / "constraints.txt"
python := ".venv/bin/python"

_list:
    @{{ just_executable() }} --list --unsorted

# Make the editable development environment in .venv
setup:
    python3 -m venv .venv
    .venv/bin/pip install --disable-pip-version-check "maturin>=1.9,<2" --editable ".[test,check]"

# Build the extension again after a Rust edit, without LTO
build:
    .venv/bin/maturin develop --skip-install

# Run Python tests by file, folder, name (-k NAME) or any other arguments of pytest
test *arguments:
    .venv/bin/pytest {{ arguments }}

# Run the Rust tests, all or those whose names contain a text
test-rust *name:
    cargo test --workspace --exclude penpal-python --exclude penpal-benches {{ name }}

# Run the fast checks: format, lints, types, import layers
lint:
    .venv/bin/ruff format --check .
    .venv/bin/ruff check .
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- --deny warnings
    .venv/bin/mypy
    .venv/bin/lint-imports --no-cache
    {{ python }} tests/check_rust_modules.py
    {{ python }} tests/check_rust_version.py

# Run all tests against a fresh install, in .venv-test
test-all *arguments:
    bash tests/run {{ arguments }}

# Run everything that must pass before a change lands
check:
    bash .ci/run

# Run a benchmark (benches/README.md) on a release build; `just build` returns to the development build
bench name *arguments:
    .venv/bin/maturin develop --release --extras bench
    {{ python }} benches/{{ name }}.py {{ arguments }}

# Take the pictures of the README and of docs/look.md; needs Chromium
screenshots:
    {{ python }} docs/draw_scored_lines.py examples/lines.parquet docs/scored_lines.png
    PYTHONPATH=tests {{ python }} docs/take_screenshots.py examples/lines.parquet docs
