"""The script that tests the lowest and the newest versions of the dependencies, and the record of its last runs."""

from __future__ import annotations

import datetime
import json
import sys

import pytest

check_versions = pytest.importorskip("check_versions", reason="it needs tomllib, which Python has from 3.11 on")


def test_every_dependency_has_a_lower_bound():
    dependencies = check_versions.declared()
    assert len(dependencies) > 10
    for dependency in dependencies:
        name, _, version = check_versions.lowest(dependency).partition("==")
        assert dependency.startswith(name)
        assert f">={version}" in dependency
    with pytest.raises(ValueError, match="'numpy' has no lower bound"):
        check_versions.lowest("numpy")


@pytest.mark.parametrize("which", ["lowest", "newest"])
def test_a_set_is_installed_tested_and_noted(which, monkeypatch, tmp_path):
    """Without the network: the commands are those that pip and pytest would get."""
    ran = []

    def run(command, **_settings):
        ran.append([str(part) for part in command])

        class Done:
            stdout = '{"numpy": "1.2"}'

        return Done

    monkeypatch.setattr(check_versions, "PLACE", tmp_path)
    monkeypatch.setattr(check_versions, "RECORD", tmp_path / "versions.json")
    monkeypatch.setattr("subprocess.run", run)
    for arguments in ([], ["-k", "some"]):
        check_versions.check(which, arguments, resolve=False)
        found = json.loads((tmp_path / "versions.json").read_text())[which]
        assert found["tests"] == (" ".join(arguments) or "all")
        assert found["versions"] == {"numpy": "1.2"}
    install = next(command for command in ran if "install" in command)
    beside = ["httpx"] if which == "lowest" else []
    assert install[install.index("-c") + 1 :] == [
        str(tmp_path / f"{which}.txt"),
        f"{check_versions.ROOT}[test]",
        *beside,
    ]
    held = (tmp_path / f"{which}.txt").read_text().splitlines()
    assert held == ([check_versions.lowest(one) for one in check_versions.declared()] if which == "lowest" else [])
    tested = [command[2:] for command in ran if command[1:3] == ["-m", "pytest"]]
    warnings = ["-W", "default"] if which == "lowest" else []
    assert tested == [["pytest", *warnings], ["pytest", *warnings, "-k", "some"]]


def test_a_run_that_fails_is_not_noted(monkeypatch, tmp_path):
    def run(command, **_settings):
        if "pytest" in command:
            raise RuntimeError("a test failed")

    monkeypatch.setattr(check_versions, "PLACE", tmp_path)
    monkeypatch.setattr(check_versions, "RECORD", tmp_path / "versions.json")
    monkeypatch.setattr("subprocess.run", run)
    with pytest.raises(RuntimeError):
        check_versions.check("lowest", [], resolve=False)
    assert not (tmp_path / "versions.json").exists()


@pytest.mark.parametrize(
    ("arguments", "before", "after"),
    [
        (["lowest", "--", "-k", "a or b"], ["lowest"], ["-k", "a or b"]),
        (["--", "tests/jobs"], [], ["tests/jobs"]),
        (["--wheel", "a b.whl"], ["--wheel", "a b.whl"], []),
    ],
)
def test_arguments_are_split_at_the_dashes(arguments, before, after):
    assert check_versions.split(arguments) == (before, after)


def test_arguments_for_pytest_need_no_set(monkeypatch):
    asked = []
    monkeypatch.setattr(check_versions, "check", lambda which, arguments, **_settings: asked.append((which, arguments)))
    monkeypatch.setattr(sys, "argv", ["check_versions.py", "--", "-k", "a or b"])
    check_versions.main()
    assert asked == [("lowest", ["-k", "a or b"]), ("newest", ["-k", "a or b"])]


def test_unknown_sets_are_refused(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["check_versions.py", "oldest"])
    with pytest.raises(SystemExit):
        check_versions.main()
    assert "there is no set 'oldest'" in capsys.readouterr().err


@pytest.mark.parametrize("which", ["lowest", "newest"])
def test_the_record_is_of_the_bounds_that_are_declared_now(which):
    """Bounds that changed since the last run have not been tested: run the script again."""
    record = json.loads(check_versions.RECORD.read_text()).get(which) if check_versions.RECORD.exists() else None
    if record is None:
        pytest.skip(f"tests/check_versions.py {which} has not passed yet")
    assert datetime.date.fromisoformat(record["day"]) <= datetime.datetime.now(datetime.timezone.utc).date()
    for dependency in check_versions.declared():
        name, _, lowest = check_versions.lowest(dependency).partition("==")
        tested, bound = (list(map(int, version.split(".")[:3])) for version in (record["versions"][name], lowest))
        if which == "lowest":
            assert tested[: len(bound)] == bound, (name, tested, lowest)
        assert tested >= bound, name
