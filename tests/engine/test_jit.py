import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import numba
import numpy as np
import pytest

from tiering.engine import jit

HELPER = """
from tiering.engine.jit import loop


@loop(inline={inline})
def addend(value):
    return value + {number}
"""
CALLER = """
from tiering.engine.jit import loop
from tiering.engine.addend import addend


@loop
def total(count):
    result = 0
    for value in range(count):
        result += addend(value)
    return result
"""
PROGRAM = """
from tiering.engine.total import total

print(total(10), total.cache_hits)
"""


def _mini_package(root: Path) -> Path:
    engine = root / "tiering" / "engine"
    engine.mkdir(parents=True)
    (root / "tiering" / "__init__.py").touch()
    (engine / "__init__.py").touch()
    for name in ("jit.py", "inner.py"):
        shutil.copy(Path(jit.__file__).parent / name, engine / name)
    (engine / "total.py").write_text(CALLER)
    return engine


def _run(root: Path, program: str, **environment: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=root,
        env=os.environ | {"TIERSCOPE_CACHE_DIR": str(root / "cache")} | environment,
        check=True,
        capture_output=True,
        text=True,
        timeout=100,
    ).stdout


@pytest.mark.skipif(jit.DISABLED, reason="tests the cache of compiled code")
@pytest.mark.parametrize("inline", [False, True])
def test_an_edited_helper_in_another_file_gives_the_new_result(
    tmp_path: Path, inline: bool
) -> None:
    engine = _mini_package(tmp_path)
    (engine / "addend.py").write_text(HELPER.format(inline=inline, number=1))
    assert _run(tmp_path, PROGRAM) == "55 0\n"
    assert _run(tmp_path, PROGRAM) == "55 1\n", "the second process must find the first one's cache"
    (engine / "addend.py").write_text(HELPER.format(inline=inline, number=2))
    assert _run(tmp_path, PROGRAM) == "65 0\n"


def test_with_the_compiler_off_a_loop_is_python_and_wraps_around(tmp_path: Path) -> None:
    _mini_package(tmp_path)
    program = (
        "import numpy as np\n"
        "from tiering.engine.jit import loop\n"
        "@loop\n"
        "def double(value):\n"
        "    return value * np.uint64(2)\n"
        "print(double(np.uint64(2**63 + 1)), hasattr(double, 'py_func'))\n"
    )
    off = {"NUMBA_DISABLE_JIT": "1", "PYTHONWARNINGS": "error"}
    assert _run(tmp_path, program, **off) == "2 False\n"


def test_the_hash_follows_content_and_place_of_every_room(tmp_path: Path) -> None:
    room = tmp_path / "sources"
    room.mkdir()
    before = jit.source_hash(tmp_path)
    (room / "a.py").write_text("x = 1\n")
    one = jit.source_hash(tmp_path)
    (room / "a.py").write_text("x = 2\n")
    two = jit.source_hash(tmp_path)
    (room / "a.py").rename(room / "b.py")
    assert len({before, one, two, jit.source_hash(tmp_path)}) == 4


def test_a_file_outside_the_compiled_rooms_keeps_the_cache(tmp_path: Path) -> None:
    before = jit.source_hash(tmp_path)
    (tmp_path / "ui").mkdir()
    (tmp_path / "ui" / "page.py").write_text("x = 1\n")
    assert jit.source_hash(tmp_path) == before


@pytest.mark.skipif(jit.DISABLED, reason="plain Python has no flags")
def test_the_flags_hold() -> None:
    @jit.loop
    def ratio(a: float, b: float) -> float:
        return a / b

    options = ratio.flags  # type: ignore[attr-defined]
    assert options["nogil"] is True
    assert options["fastmath"] is False
    assert options["error_model"] == "numpy"
    assert ratio(1.0, 0.0) == np.inf


@pytest.mark.skipif(jit.DISABLED, reason="plain Python counts references anyway")
def test_only_loops_that_say_so_make_arrays_and_others_may_call_them() -> None:
    @jit.loop(allocates=True)
    def squares(nr: int) -> float:
        result = np.zeros(nr)
        for i in range(nr):
            result[i] = i * i
        return float(result.sum())

    @jit.loop
    def twice(nr: int) -> float:
        return float(squares(nr) + squares(nr))

    @jit.loop
    def forgot(nr: int) -> int:
        return int(np.zeros(nr).size)

    assert twice(4) == 28.0
    with pytest.raises(numba.core.errors.TypingError, match="zeros"):
        forgot(4)


@pytest.mark.skipif(jit.DISABLED, reason="plain Python counts references anyway")
def test_a_loop_leaves_the_references_to_its_arrays_alone() -> None:
    @jit.loop
    def tail_sum(array: Any) -> float:
        part = array[1:]
        return float(part[0] + part[-1])

    array = np.arange(4.0)
    before = sys.getrefcount(array)
    assert [tail_sum(array) for _ in range(100)] == [4.0] * 100
    assert sys.getrefcount(array) == before


class Pair(NamedTuple):
    first: Any
    second: Any


def test_a_direct_call_gives_what_the_loop_gives_and_follows_its_arguments() -> None:
    @jit.loop
    def weigh(pair: Any, factor: float, nr: int) -> Any:
        pair.second[0] += 1
        return pair.first.sum() * factor + nr, nr

    direct = jit.Direct(weigh)
    for values, factor, nr in (([1.0, 2.0], 2.0, 3), ([5.0], 0.5, -1), ([0.25] * 7, 1.0, 2**40)):
        pair = Pair(np.array(values), np.zeros(2, np.int64))
        assert direct(pair, factor, nr) == (sum(values) * factor + nr, nr)
        assert pair.second.tolist() == [1, 0]


def test_a_direct_call_takes_numbers_of_any_kind() -> None:
    @jit.loop
    def half(array: Any, number: float) -> float:
        return float(array[0] + number / 2)

    direct = jit.Direct(half)
    assert [direct(np.ones(1), one) for one in (3, 0.5, np.int64(5), True, 3)] == [
        2.5, 1.25, 3.5, 1.5, 2.5,
    ]  # fmt: skip


def test_numba_uses_the_hashed_directory_and_one_thread() -> None:
    config: Any = numba.config
    directory = Path(config.CACHE_DIR)
    assert directory.name == jit.source_hash(Path(jit.__file__).parent.parent)
    assert directory.is_dir()
    assert config.THREADING_LAYER == "workqueue"
    assert config.NUMBA_NUM_THREADS == 1


def test_old_caches_go_but_the_newest_three_and_those_in_use_stay(tmp_path: Path) -> None:
    now = time.time()
    for age in range(6):
        path = tmp_path / f"{age:016x}"
        path.mkdir()
        os.utime(path, (now - 1000 * age, now - 1000 * age))
    (tmp_path / "notes").mkdir()
    os.utime(tmp_path / "notes", (0, 0))
    jit.prune(tmp_path, now)
    kept = {path.name for path in tmp_path.iterdir()}
    assert kept == {f"{age:016x}" for age in range(4)} | {"notes"}


def test_a_base_that_cannot_be_made_falls_back_to_a_temporary_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    path = jit.cache_dir(tmp_path / "file" / "cache", "0" * 16)
    assert path == tmp_path / f"tierscope-{os.getuid()}" / ("0" * 16)
    assert path.is_dir()


def test_a_base_that_others_can_write_is_not_trusted(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    assert shared not in jit.cache_dir(shared, "0" * 16).parents
