"""Scenario texts for tests."""

import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiering.engine.invariants import check_books
from tiering.model.metrics import METRICS, row_dtype
from tiering.simulation.load import load_text
from tiering.simulation.loop import Simulation
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


def composed(
    processes: list[dict[str, Any]], nodes: list[dict[str, Any]] | None = None, **changes: Any
) -> Scenario:
    """Any processes on any nodes; what is not said of them is small and quiet."""
    machine: list[dict[str, Any]] = [
        {"name": "DRAM", "tier": 0},
        {"name": "CXL", "tier": 1, "latency_ns": 250.0},
    ]
    text = TINY[: TINY.index("[[nodes]]")]
    for node in nodes or machine:
        text += _table("nodes", NODE | node)
    for process in processes:
        plain: dict[str, Any] = {"name": "app", "threads": 1, "think_ns": 750.0} | process
        vmas = plain.pop("vmas", [])
        text += _table("processes", plain)
        for vma in vmas:
            text += _table("processes.vmas", vma)
    return load_text(text, "composed", {k.replace("__", "."): v for k, v in changes.items()})


NODE: dict[str, Any] = {
    "capacity_mib": 64, "latency_ns": 100.0, "read_gb_s": 1000.0, "write_gb_s": 1000.0,
}  # fmt: skip


def _table(name: str, values: dict[str, Any]) -> str:
    lines = [f"{key} = {_toml(value)}" for key, value in values.items()]
    return "\n".join([f"[[{name}]]", *lines, ""])


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_toml(one)}" for key, one in value.items()) + "}"
    return json.dumps(value)


def finished(scenario: Scenario, seed: int = 1) -> tuple[Simulation, NDArray[Any], list[str]]:
    """(the simulation at its end, its rows, the text of its events); checks the books."""
    simulation = Simulation(scenario, seed)
    rows, events = [], []
    while not simulation.done:
        block = simulation.next_block()
        rows.append(block.array(row_dtype(simulation.shape)))
        events += [str(event["text"]) for event in block.events]
        world = simulation.world
        check_books(world.memory, world.capacity, world.top_tier)
    found = np.concatenate(rows)
    for metric in METRICS:
        if metric.counter:
            assert (np.diff(found[metric.field], axis=0) >= 0).all(), metric.field
    simulation.result()
    return simulation, found, events
