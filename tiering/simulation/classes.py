"""What the classes of a scenario's processes ask for, as arrays (docs/model.md#classes)."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from tiering.engine.folios import Memory
from tiering.engine.shares import ANY, Shares, neutral_shares
from tiering.model.classes import DEFAULT, PAGES_PER_MIB, STANDARD, PolicyClass
from tiering.simulation.scenario import Process, Scenario


def class_names(scenario: Scenario) -> tuple[str, ...]:
    """Classes that a process may name: those of the file, and the standard ones."""
    return tuple(dict.fromkeys([*STANDARD, *scenario.classes]))


def classes_in_use(scenario: Scenario) -> dict[str, PolicyClass]:
    """Classes of the processes, in the order of `class_names`."""
    used = {process.policy for process in scenario.processes}
    return {
        name: scenario.classes.get(name, PolicyClass())
        for name in class_names(scenario)
        if name in used
    }


def class_problems(scenario: Scenario) -> Iterator[str]:
    """A sentence for each process of a class that there is not."""
    names = class_names(scenario)
    for at, process in enumerate(scenario.processes):
        if process.policy not in names:
            yield (
                f"processes.{at}.class = {process.policy!r}: classes are {', '.join(names)}; "
                f"others need a table [classes.{process.policy}]"
            )


def shows_classes(scenario: Scenario) -> bool:
    """Whether there is anything to tell of classes."""
    return bool(scenario.classes) or {*classes_in_use(scenario)} != {DEFAULT}


def groups(scenario: Scenario) -> NDArray[np.int64]:
    """i64[P] class of each process, by its place among those in use."""
    names = list(classes_in_use(scenario))
    of = [names.index(process.policy) for process, _ in scenario.all_processes()]
    return np.array(of, np.int64)


def shares(scenario: Scenario) -> Shares:
    """What the classes in use ask for; of no class at all where none of them asks for anything."""
    asked = list(classes_in_use(scenario).values())
    if all(one == PolicyClass() for one in asked):
        return neutral_shares(0)
    low = np.array([one.protect_mib * PAGES_PER_MIB for one in asked], np.int64)
    priorities = sorted({one.demotion_priority for one in asked}, reverse=True)
    rank = np.array([priorities.index(one.demotion_priority) for one in asked], np.int64)
    return neutral_shares(len(asked))._replace(
        promote=np.array([one.promote and one.numa_balancing for one in asked], np.bool_),
        most=np.array([one.top_tier_max_mib * PAGES_PER_MIB or ANY for one in asked], np.int64),
        part=np.array([one.promotion_share_pct / 100 for one in asked]),
        low=low,
        rank=rank,
        threshold=np.array([one.hot_threshold_ms for one in asked], np.int64),
        last=int(rank.max()) + bool(low.any()),
    )


def with_groups(memory: Memory, scenario: Scenario, asked: Shares) -> Memory:
    """Memory that counts what each class holds, where that matters."""
    if not asked.low.size:
        return memory
    return memory._replace(group=groups(scenario), held=np.zeros(asked.low.size, np.int64))


def taking_part(scenario: Scenario) -> list[bool]:
    """Of each process, whether its mm is scanned or marked by those who go by mm."""
    classes = classes_in_use(scenario)
    return [classes[process.policy].numa_balancing for process, _ in scenario.all_processes()]


def scan_scale(scenario: Scenario, process: Process) -> int | None:
    """What the process sets by prctl, or its class for it; None for neither."""
    if process.scan_scale is not None:
        return process.scan_scale
    of_class = classes_in_use(scenario)[process.policy].scan_scale
    return of_class if of_class >= 0 else None
