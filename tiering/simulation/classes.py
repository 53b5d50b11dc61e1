"""What the classes of a scenario's processes ask for, as arrays (docs/model.md#classes)."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from tiering.engine.folios import Memory
from tiering.engine.shares import (
    ANY,
    LOW,
    MOST,
    PART,
    PARTS,
    PROMOTE,
    RANK,
    THRESHOLD,
    Shares,
    neutral_shares,
)
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
    found = neutral_shares(len(asked))
    priorities = sorted({one.demotion_priority for one in asked}, reverse=True)
    for of, one in zip(found.of, asked, strict=True):
        of[PROMOTE] = one.promote and one.numa_balancing
        of[MOST] = one.top_tier_max_mib * PAGES_PER_MIB or ANY
        of[PART] = round(one.promotion_share_pct / 100 * PARTS)
        of[LOW] = one.protect_mib * PAGES_PER_MIB
        of[RANK] = priorities.index(one.demotion_priority)
        of[THRESHOLD] = one.hot_threshold_ms
    protects = bool(found.of[:, LOW].any())
    return found._replace(last=len(priorities) - 1 + protects)


def with_groups(memory: Memory, scenario: Scenario, asked: Shares) -> Memory:
    """Memory that counts what each class holds, where that matters."""
    if not asked.of.size:
        return memory
    return memory._replace(group=groups(scenario), held=np.zeros(asked.of.shape[0], np.int64))


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
