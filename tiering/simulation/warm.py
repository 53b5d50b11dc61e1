"""Compiling (or loading from the cache) every loop before somebody waits for it."""

from tiering.simulation.load import load_text
from tiering.simulation.loop import Simulation

_SMALL = """
title = "warm-up"
question = "Is everything compiled?"
topic = "internal"
preset = "kmmscand_v0"
until_s = 0.5
[[nodes]]
name = "DRAM"
tier = 0
capacity_mib = 64
latency_ns = 100.0
read_gb_s = 10.0
write_gb_s = 10.0
[[nodes]]
name = "CXL"
tier = 1
capacity_mib = 64
latency_ns = 200.0
read_gb_s = 10.0
write_gb_s = 10.0
[[processes]]
name = "app"
threads = 1
think_ns = 1000.0
[[processes.vmas]]
size_mib = 1.0
node = "CXL"
"""


def warm_up() -> None:
    """Run every preset for an instant; under 3 s with a warm cache."""
    presets = (
        "kmmscand_v0", "hw_sample", "chmu_pghot", "chmu_pghot_precise", "numa_balancing_2",
        "klruscand", "memtierd_age", "hemem", "oracle",
    )  # fmt: skip
    for preset in presets:
        simulation = Simulation(load_text(_SMALL, "warm-up", {"preset": preset}), 1)
        while not simulation.done:
            simulation.next_block()
        simulation.result()
