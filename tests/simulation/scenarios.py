"""Scenario texts for tests."""

from typing import Any

from tiering.simulation.load import load_text
from tiering.simulation.scenario import Scenario

TINY = """
title = "tiny"
question = "Does it work?"
topic = "tests"
preset = "kmmscand_v0"
until_s = 20.0
[[nodes]]
name = "DRAM"
tier = 0
capacity_mib = 64
latency_ns = 100.0
read_gb_s = 40.0
write_gb_s = 40.0
[[nodes]]
name = "CXL"
tier = 1
capacity_mib = 1024
latency_ns = 250.0
read_gb_s = 20.0
write_gb_s = 20.0
[[processes]]
name = "app"
threads = 2
think_ns = 1000.0
[[processes.vmas]]
name = "heap"
size_mib = 96.0
node = "CXL"
pattern = "uniform"
[migration]
reserve = "none"
"""


def tiny(**changes: Any) -> Scenario:
    """The tiny machine; `__` in a key stands for a dot."""
    return load_text(TINY, "tiny", {k.replace("__", "."): v for k, v in changes.items()})
