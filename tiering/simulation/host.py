"""Refusing what this host cannot hold, before anything is allocated."""

from pathlib import Path

from tiering.simulation.load import ScenarioError

BYTES_PER_FOLIO = 10  # u32 state, one byte of class while building, a queue that holds every folio
SHARE_BYTES = 24  # share, its cumulated twin and the copy made while building
FIXED_BYTES = 64 * 2**20


def available_bytes() -> int | None:
    """Memory that the host can still give, None where it does not say."""
    meminfo = Path("/proc/meminfo")
    if not meminfo.exists():
        return None
    for line in meminfo.read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return None


def check_host_memory(name: str, nr_folios: int, nr_shares: int) -> None:
    """Raises ScenarioError with the estimate if the run needs more than the host has."""
    needed = nr_folios * BYTES_PER_FOLIO + nr_shares * SHARE_BYTES + FIXED_BYTES
    available = available_bytes()
    if available is not None and needed > available:
        raise ScenarioError(
            f"{name}: simulating {nr_folios:,} folios needs about {needed / 2**30:.1f} GiB of host "
            f"memory, {available / 2**30:.1f} GiB are available"
        )
