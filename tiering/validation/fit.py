"""The two constants of the profile that published elapsed times fix.

Elapsed time is nearly linear in both: DRAM's latency is paid by every access of either run, the
walk to a PTE in memory by the larger buffer alone, since the cache holds the PTEs of the smaller
one. A few rounds of dividing what is missing by the accesses that pay for it find them.
"""

from tiering.simulation.batch import Job, results
from tiering.validation.abench import ELAPSED, scenario

ROUNDS = 4
ITERATIONS = 512
PAGES = {8: 2_097_152, 32: 8_388_608}
NS_PER_S = 1e9
SMALL, LARGE = ("patched", 8), ("base", 32)


def fitted() -> dict[str, float]:
    """Path of each constant and its value, ns."""
    start = scenario(*SMALL, {})
    latency, walk = start.nodes[0].latency_ns, start.machine.walk_memory_ns
    bytes_of = 8 * PAGES[32]
    part = 1 - start.machine.pt_cache_mib * 2**20 / bytes_of  # of walks that go to memory
    for _ in range(ROUNDS):
        changes = {"nodes.0.latency_ns": latency, "machine.walk_memory_ns": walk}
        jobs = [Job(scenario(*row, changes), 1) for row in (SMALL, LARGE)]
        short = [  # ns an access
            (ELAPSED[row] - result["elapsed_s"]) * NS_PER_S / (ITERATIONS * PAGES[row[1]])
            for row, result in zip((SMALL, LARGE), results(jobs), strict=True)
        ]
        latency += short[0]
        walk += (short[1] - short[0]) / part
    return {"nodes.0.latency_ns": latency, "machine.walk_memory_ns": walk}
