import fcntl
import os
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.house.tree import ROOT
from tests.simulation.scenarios import TINY
from tiering.simulation.loops import loops_compiled


@pytest.fixture
def tiny(tmp_path: Path) -> str:
    path = tmp_path / "tiny.toml"
    path.write_text(TINY)
    return str(path)


@contextmanager
def shown(columns: int, *arguments: str, **environment: str) -> Iterator[Iterator[str]]:
    """What a run writes to a terminal of so many columns, as it comes; in the end it is killed."""
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-m", "tiering", "run", *arguments], cwd=ROOT, stderr=theirs,
        stdout=subprocess.DEVNULL, env={**os.environ, **environment},
    )  # fmt: skip
    os.close(theirs)
    try:
        yield pieces(ours)
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def pieces(terminal: int) -> Iterator[str]:
    while True:
        try:
            piece = os.read(terminal, 4096)
        except OSError:  # the other side is closed
            return
        if not piece:
            return
        yield piece.decode(errors="ignore")


def states(text: str) -> list[str]:
    """What the bar showed, one after the other."""
    return [line.strip() for line in text.split("\r") if line.strip()]


@pytest.mark.compiled
@pytest.mark.parametrize("columns", [0, 100])
def test_the_bar_says_what_is_run_and_how_far_it_is(columns: int, tiny: str) -> None:
    with shown(columns, tiny) as written:
        lines = states("".join(written))
    first, *_, last = lines
    assert first.startswith("tiny: ")
    assert " |" in first
    assert last.startswith("tiny |")
    assert " %, t " in last
    assert max(map(len, lines)) <= (columns or 80)


@pytest.mark.compiled
def test_the_first_bar_says_that_loops_are_compiled(tiny: str, tmp_path: Path) -> None:
    text = ""
    with shown(100, tiny, TIERSCOPE_CACHE_DIR=str(tmp_path / "empty")) as written:
        while "%" not in text:
            text += next(written)
    assert states(text)[0].startswith("tiny: compiling loops, once |")


@pytest.mark.compiled
def test_compiled_loops_are_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    assert not loops_compiled()
    (tmp_path / "engine").mkdir()
    (tmp_path / "engine" / "touch.look-1.py311.nbi").touch()
    assert loops_compiled()
