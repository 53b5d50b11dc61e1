"""kmmscand V0 against NUMA balancing 2 on abench, as posted on 1 December 2024.

Source: cover letter, Message-ID 20241201153818.2633616-1-raghavendra.kt@amd.com: 64 threads touch
a buffer of 8 or 32 GB on a CXL node at random; base is v6.11-rc6 with numa_balancing = 2.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from tiering.simulation.batch import Job, results
from tiering.simulation.load import load_file
from tiering.simulation.scenario import Scenario
from tiering.validation.check import Check, above, within, within_factor

SIZES = (8, 32)
PRESETS = {"base": "numa_balancing_2", "patched": "kmmscand_v0"}
ELAPSED = {
    ("base", 8): 133.66,
    ("patched", 8): 113.77,
    ("base", 32): 584.77,
    ("patched", 32): 542.79,
}
"""Published elapsed times, s."""
SCAN = {8: 2.74, 32: 23.4}
MIGRATION = {8: 11.19, 32: 108.72}
MARKING = {8: 0.883, 32: 4.79}
FAULTS = {8: 64.86, 32: 149.16}
"""Published times, s: of the kernel thread, and of the tasks of the base kernel summed up."""
INPUTS = {("patched", 8): "nodes.0.latency_ns", ("base", 32): "machine.walk_memory_ns"}
"""Elapsed times that are inputs, and the constant of the profile that each fixes."""
CONTENTION = (
    "the posted times of faults contain waiting for locks and for the migration of others, which "
    "the model does not have"
)
LATE = (
    "the base run loses more than hint faults and late pages cost in the model, even with the "
    "slowest of the published devices; where it goes was not posted"
)


class Run(NamedTuple):
    """Elapsed time and the CPU time spent on tiering, s: scanning or marking, and the rest
    (migration, faults)."""

    elapsed: float
    looking: float
    moving: float


Runs = dict[tuple[str, int], list[Run]]


def scenario(kernel: str, size: int, changes: Mapping[str, Any]) -> Scenario:
    """The run of one kernel; size in GB. changes: by dotted key."""
    return load_file(f"kmmscand-v0-abench-{size}g", {"preset": PRESETS[kernel], **changes})


def runs(seeds: Sequence[int], nr_processes: int, **changes: Any) -> Runs:
    """Every kernel and size with every seed; changes: overrides, dots are __."""
    keys = [(kernel, size) for size in SIZES for kernel in PRESETS]
    overrides = {key.replace("__", "."): value for key, value in changes.items()}
    jobs = [Job(scenario(*key, overrides), seed) for key in keys for seed in seeds]
    found = [
        _run(job, result) for job, result in zip(jobs, results(jobs, nr_processes), strict=True)
    ]
    nr = len(seeds)
    return {key: found[at * nr : (at + 1) * nr] for at, key in enumerate(keys)}


def _run(job: Job, result: dict[str, Any]) -> Run:
    busy = sum(result["metrics"]["thread_busy_s"].values())
    marked = result["counters"]["numa_pte_updates"] * job.scenario.hint_fault.pte_update_ns / 1e9
    looking = result["metrics"].get("scan_s", marked)
    return Run(result["elapsed_s"], looking, busy - looking)


def checks(found: Runs) -> Iterator[Check]:
    """Those of the sign, the ratios and the overheads."""
    elapsed = {key: [run.elapsed for run in several] for key, several in found.items()}
    gain = {
        size: [
            1 - p / b for p, b in zip(elapsed["patched", size], elapsed["base", size], strict=True)
        ]
        for size in SIZES
    }
    for size in SIZES:
        yield Check(
            f"kmmscand beats the base kernel, {size} GB: gain", _percent(_gain(size)), "sign",
            above(0.0), gain[size],
        )  # fmt: skip
    yield Check(
        "the gain shrinks with size: gain at 8 GB less that at 32 GB",
        _percent(_gain(8) - _gain(32)), "sign", above(0.0),
        [a - b for a, b in zip(gain[8], gain[32], strict=True)],
    )  # fmt: skip
    for size, off in ((8, 0.05), (32, 0.04)):
        ratio = ELAPSED["patched", size] / ELAPSED["base", size]
        yield Check(
            f"elapsed patched / base, {size} GB", f"{ratio:.3f}", f"± {off}", within(ratio, off),
            [1 - one for one in gain[size]], LATE,
        )  # fmt: skip
    for kernel in PRESETS:
        ratio = ELAPSED[kernel, 32] / ELAPSED[kernel, 8]
        yield Check(
            f"elapsed 32 GB / 8 GB, {kernel}", f"{ratio:.2f}", "± 10 %", within(ratio, ratio / 10),
            [b / a for a, b in zip(elapsed[kernel, 8], elapsed[kernel, 32], strict=True)],
        )  # fmt: skip
    for size in SIZES:
        yield from _overheads(found, size)


def _overheads(found: Runs, size: int) -> Iterator[Check]:
    daemon, tasks = found["patched", size], found["base", size]
    ratio = (SCAN[size] + MIGRATION[size]) / (MARKING[size] + FAULTS[size])
    yield Check(
        f"overhead of the kernel thread / of the base kernel, {size} GB", f"{ratio:.2f}",
        "factor 1.5", within_factor(ratio, 1.5),
        [
            (a.looking + a.moving) / (b.looking + b.moving)
            for a, b in zip(daemon, tasks, strict=True)
        ],
        CONTENTION,
    )  # fmt: skip


def _gain(size: int) -> float:
    return 1 - ELAPSED["patched", size] / ELAPSED["base", size]


def _percent(value: float) -> str:
    return f"{100 * value:.2f} %"
