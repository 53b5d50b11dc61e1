import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.tree import ROOT

MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = set(re.findall(r"^([a-z]+):", MAKEFILE, re.MULTILINE)) - {"chromium"}

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


# As from a shell: below a make that was told to print directories, ours would print them too.
ENVIRONMENT = {
    key: value
    for key, value in os.environ.items()
    if not key.startswith("MAKE") and key not in ("MFLAGS", "ARGS", "PYTHON", "PYTEST_ARGS")
}


def make(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", *arguments],
        cwd=folder,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A fresh clone as far as make can see."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    (tmp_path / "tests").mkdir()
    for name in ("requirements.txt", "tests/requirements.txt"):
        (tmp_path / name).touch()
    return tmp_path


@pytest.fixture
def installed(folder: Path) -> Path:
    """The same with everything installed: this interpreter stands for the environment's."""
    binaries = folder / ".venv" / "bin"
    binaries.mkdir(parents=True)
    (binaries / "python").symlink_to(sys.executable)
    for stamp in (".runtime", ".tests"):
        (folder / ".venv" / stamp).touch()
    return folder


def test_help_shows_every_target() -> None:
    shown = make(ROOT, "help").stdout
    assert {line.split()[1] for line in shown.splitlines()} == TARGETS
    assert {
        "run", "test", "check", "bench", "validate", "screenshots", "clean", "help",
    } == TARGETS  # fmt: skip


def test_the_readme_and_the_guide_name_only_targets_that_exist() -> None:
    for name in ("README.md", "CONTRIBUTING.md"):
        text = (ROOT / name).read_text()
        named = set(re.findall(r"(?:`|^|\n)(?:\w+=\S+ )?make ([a-z]+)", text))
        assert named
        assert named <= TARGETS, name


def test_continuous_integration_runs_the_test_command_of_the_readme() -> None:
    script = ROOT / ".ci" / "run"
    lines = script.read_text().splitlines()
    assert lines[0] == "#!/usr/bin/env bash"
    assert "set -euo pipefail" in lines
    assert lines[-1] == "make test", "so that pytest's summary comes last"
    assert os.access(script, os.X_OK)


def test_without_a_new_enough_python_make_says_so(folder: Path) -> None:
    done = make(folder, "run", "PYTHON=no-such-python")
    assert done.returncode != 0
    assert "Tierscope needs Python 3.11 or newer; tried: no-such-python." in done.stderr
    assert not (folder / ".venv").exists()


def test_a_python_without_ensurepip_names_the_package_to_install(folder: Path) -> None:
    python = folder / "python-of-debian"
    python.write_text(
        f'#!/bin/sh\ncase "$*" in *ensurepip*) exit 1;; esac\nexec {sys.executable} "$@"\n'
    )
    python.chmod(0o755)
    done = make(folder, "run", f"PYTHON={python}")
    assert done.returncode != 0
    assert "apt-get install python3-venv" in done.stderr
    assert not (folder / ".venv").exists()


def test_nothing_is_installed_twice_and_arguments_reach_the_program(installed: Path) -> None:
    (installed / "app.py").write_text("import sys\nprint(sys.argv[1:])\n")
    done = make(installed, "run", "ARGS=--port 8051 --workers 2")
    assert done.stdout == "['--port', '8051', '--workers', '2']\n"


def test_changed_requirements_are_installed_again(installed: Path) -> None:
    later = (installed / ".venv" / ".runtime").stat().st_mtime + 5
    os.utime(installed / "requirements.txt", (later, later))
    assert "pip install" in make(installed, "-n", "run").stdout


def test_ctrl_c_reaches_the_program_which_stops_by_itself(installed: Path) -> None:
    (installed / "app.py").write_text(
        "import signal\n"
        "try:\n"
        "    print('up', flush=True)\n"
        "    signal.pause()\n"
        "except KeyboardInterrupt:\n"
        "    print('stopped by itself', flush=True)\n"
    )
    with subprocess.Popen(
        ["make", "run"],
        cwd=installed,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        os.killpg(process.pid, signal.SIGINT)
        output, _ = process.communicate(timeout=20)
    assert output == "stopped by itself\n"


def test_a_missing_chromium_is_named_when_it_cannot_be_installed(installed: Path) -> None:
    tools = installed / "bin"
    tools.mkdir()
    for name in ("make", "sh"):
        found = shutil.which(name)
        assert found is not None
        (tools / name).symlink_to(found)
    (tools / "id").write_text("#!/bin/sh\necho 1000\n")
    (tools / "id").chmod(0o755)
    done = subprocess.run(
        ["make", "chromium", "SHELL=/bin/sh"],
        cwd=installed,
        env={"PATH": str(tools)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    assert "apt-get install chromium" in done.stderr
