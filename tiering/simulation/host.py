"""Refusing what this host cannot hold, before anything is allocated."""

from collections.abc import Iterator
from pathlib import Path

from tiering.simulation.footprint import Footprint
from tiering.simulation.load import ScenarioError

PROC = Path("/proc")
CGROUPS = Path("/sys/fs/cgroup")
_V1 = "memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"
_V2 = "", "memory.max", "memory.current", "inactive_file"


def available_bytes(proc: Path = PROC, cgroups: Path = CGROUPS) -> int | None:
    """Memory that the host, or the container's limit, can still give; None where nothing says."""
    known = [*_of_host(proc), *_of_container(proc, cgroups)]
    return max(min(known), 0) if known else None


def _of_host(proc: Path) -> Iterator[int]:
    for line in _lines(proc / "meminfo"):
        if line.startswith("MemAvailable:"):
            yield int(line.split()[1]) * 1024


def _of_container(proc: Path, cgroups: Path) -> Iterator[int]:
    """What is left to the control group of this process and to each one above it.

    As the kernel does for the whole host, file pages that nobody uses count as free.
    """
    for line in _lines(proc / "self" / "cgroup"):
        number, _, path = line.partition(":")
        controllers, _, path = path.partition(":")
        if number != "0" and "memory" not in controllers.split(","):
            continue
        folder, limit, used, unused = _V2 if number == "0" else _V1
        root = cgroups / folder
        group = root / path.strip("/")
        for one in (group, *group.parents):
            if one.is_relative_to(root):
                yield from _left(one, limit, used, unused)


def _left(group: Path, limit: str, used: str, unused: str) -> Iterator[int]:
    most, taken = _lines(group / limit), _lines(group / used)
    if not (most and taken and most[0].isdigit()):  # "max": no limit
        return
    free = int(most[0]) - int(taken[0])
    for line in _lines(group / "memory.stat"):
        name, _, value = line.partition(" ")
        if name == unused:
            free += int(value)
    yield free


def _lines(path: Path) -> list[str]:
    """Of a file that may not be there, as in a container whose groups are mounted elsewhere."""
    try:
        return path.read_text().splitlines()
    except OSError:
        return []


def check_host_memory(origin: str, needed: Footprint) -> None:
    """Raises ScenarioError with the estimate if the run needs more than the host has."""
    available = available_bytes()
    if available is not None and needed.nr_bytes > available:
        raise ScenarioError(
            f"{origin}: {needed.largest.key}: takes {_gib(needed.largest.nr_bytes)} of the about "
            f"{_gib(needed.nr_bytes)} of host memory that a run of {needed.nr_folios:,} folios "
            f"needs; {_gib(available)} are available"
        )


def _gib(nr_bytes: float) -> str:
    return f"{nr_bytes / 2**30:.1f} GiB"
