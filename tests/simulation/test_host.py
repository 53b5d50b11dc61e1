from pathlib import Path

import pytest

from tiering.simulation.host import available_bytes

MIB = 2**20


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def left(tmp_path: Path, cgroup: str, groups: dict[str, str], available_mib: int = 1000) -> int:
    """MiB available with that /proc/self/cgroup and those files under /sys/fs/cgroup."""
    meminfo = f"MemTotal: 9999999 kB\nMemAvailable: {available_mib * 1024} kB\n"
    proc = write(tmp_path / "proc", {"meminfo": meminfo, "self/cgroup": cgroup})
    found = available_bytes(proc, write(tmp_path / "groups", groups))
    assert found is not None
    return found // MIB


def v2(folder: str, limit: str, used_mib: int, unused_mib: int = 0) -> dict[str, str]:
    return {
        f"{folder}memory.max": f"{limit}\n",
        f"{folder}memory.current": f"{used_mib * MIB}\n",
        f"{folder}memory.stat": f"anon 5\ninactive_file {unused_mib * MIB}\nactive_file 7\n",
    }


def test_without_a_limit_it_is_what_the_host_has(tmp_path: Path) -> None:
    assert left(tmp_path, "0::/\n", {}) == 1000
    assert left(tmp_path, "0::/user\n", v2("user/", "max", 400)) == 1000


def test_the_limit_of_a_container_counts_less_what_it_uses(tmp_path: Path) -> None:
    assert left(tmp_path, "0::/\n", v2("", str(800 * MIB), 300)) == 500


def test_file_pages_that_nobody_uses_can_be_had(tmp_path: Path) -> None:
    assert left(tmp_path, "0::/\n", v2("", str(800 * MIB), 300, 100)) == 600


def test_the_host_may_have_less_than_the_container_allows(tmp_path: Path) -> None:
    assert left(tmp_path, "0::/\n", v2("", str(800 * MIB), 300), available_mib=200) == 200


@pytest.mark.parametrize("path", ["a/b", "elsewhere/a/b"])
def test_the_groups_above_have_a_say(tmp_path: Path, path: str) -> None:
    """A container may see its group under the name that it has on the host."""
    groups = v2("a/b/", "max", 100) | v2("a/", str(700 * MIB), 100) | v2("", str(650 * MIB), 100)
    assert left(tmp_path, f"0::/{path}\n", groups) == 550


def test_a_limit_that_is_exceeded_leaves_nothing(tmp_path: Path) -> None:
    assert left(tmp_path, "0::/\n", v2("", str(100 * MIB), 300)) == 0


def test_groups_of_version_1_are_known(tmp_path: Path) -> None:
    groups = {
        "memory/box/memory.limit_in_bytes": f"{900 * MIB}\n",
        "memory/box/memory.usage_in_bytes": f"{700 * MIB}\n",
        "memory/box/memory.stat": f"inactive_file 1\ntotal_inactive_file {50 * MIB}\n",
        "memory/memory.limit_in_bytes": f"{2**63 - 4096}\n",
        "memory/memory.usage_in_bytes": f"{900 * MIB}\n",
    }
    lines = "12:cpu,cpuacct:/box\n9:memory:/box\n0::/\n"
    assert left(tmp_path, lines, groups) == 250


def test_where_nothing_says_it_is_not_known(tmp_path: Path) -> None:
    assert available_bytes(tmp_path / "no", tmp_path / "where") is None


def test_this_machine_has_some_memory_left() -> None:
    available = available_bytes()
    assert available is None or available > 0
