"""What no single key of a file can tell: names that collide, tables that have no effect, homes
that are no nodes, lives that overlap, VMAs that are no whole number of folios."""

import re
from collections.abc import Iterator
from typing import Any

from tiering.simulation.scenario import FOLIOS_PER_MIB, Node, Process, Scenario, Vma
from tiering.workloads.table import PATTERNS

_NUMBERED = re.compile(r"(.*)-(0|[1-9][0-9]*)")


def own_keys(data: dict[str, Any]) -> Iterator[tuple[str | int, ...]]:
    """Paths of keys in a file's text that only the loader may set."""
    for key, field in Scenario.model_fields.items():
        if field.exclude and key in data:
            yield (key,)
    nodes = data.get("nodes")
    for at, node in enumerate(nodes if isinstance(nodes, list) else []):
        for key, field in Node.model_fields.items():
            if field.exclude and isinstance(node, dict) and key in node:
                yield "nodes", at, key


def entry_problems(scenario: Scenario) -> Iterator[str]:
    """A sentence for each entry or key that does not go with the others."""
    yield from _collisions(scenario.processes)
    for at, process in enumerate(scenario.processes):
        key = f"processes.{at}"
        yield from _home(scenario, key, process)
        yield from _lives(key, process)
        for name in _tables(process):
            if process.recording is None:
                yield f"{key}.{name}: has no effect without {key}.recording"
        for nr, vma in enumerate(process.vmas):
            yield from _idle_tables(scenario, f"{key}.vmas.{nr}", vma)
            yield from _folios(f"{key}.vmas.{nr}", vma)
            yield from _holes(f"{key}.vmas.{nr}", vma)


def _collisions(processes: list[Process]) -> Iterator[str]:
    """Of the names that runs show: `count` processes alike are numbered, name-0 and so on."""
    alone: dict[str, int] = {}
    numbered: dict[str, int] = {}
    for at, process in enumerate(processes):
        taken = alone if process.count == 1 else numbered
        first = taken.setdefault(process.name, at)
        if first != at:
            yield _collision(at, process.name, first)
    for name, at in alone.items():
        match = _NUMBERED.fullmatch(name)
        first = numbered.get(match[1], -1) if match else -1
        if match and first >= 0 and int(match[2]) < processes[first].count:
            yield _collision(at, name, first, f", of which {processes[first].count} are numbered")


def _collision(at: int, name: str, first: int, why: str = "") -> str:
    return f"processes.{at}.name = {name!r}: is taken by processes.{first}{why}; names must differ"


def _idle_tables(scenario: Scenario, key: str, vma: Vma) -> Iterator[str]:
    """A run may choose another pattern than its file, whose table is then left over."""
    for name in _tables(vma):
        table = f"{key}.{name}"
        given = any(one == table or one.startswith(f"{table}.") for one in scenario.overrides)
        if name != vma.pattern and (given or f"{key}.pattern" not in scenario.overrides):
            yield (
                f"{table}: has no effect with pattern = {vma.pattern!r}; should be "
                f"{key}.{vma.pattern}, or pattern = {name!r}"
            )


def _home(scenario: Scenario, key: str, process: Process) -> Iterator[str]:
    names = [node.name for node in scenario.nodes]
    if process.home_node is not None and process.home_node not in names:
        yield f"{key}.home_node = {process.home_node!r}: nodes are {', '.join(names)}"


def _lives(key: str, process: Process) -> Iterator[str]:
    every, lifetime = process.every_s, process.lifetime_s
    if every and not lifetime:
        yield f"{key}.every_s = {every:g}: has no effect without {key}.lifetime_s"
    elif every and every < lifetime:
        yield (
            f"{key}.every_s = {every:g}: should be 0, once, or at least lifetime_s = {lifetime:g}: "
            "a life ends before the next one begins"
        )


def _folios(key: str, vma: Vma) -> Iterator[str]:
    """Large folios are not cut."""
    folio_mib = (1 << vma.order) / FOLIOS_PER_MIB
    for name in ("size_mib", "split_mib") if vma.order else ():
        value = getattr(vma, name)
        if value % folio_mib:
            yield (
                f"{key}.{name} = {value:g}: should be a multiple of {folio_mib:g}, the MiB of a "
                f"folio of order = {vma.order}"
            )


def _holes(key: str, vma: Vma) -> Iterator[str]:
    """They are in page tables, of which a large folio fills its part and page cache has none."""
    if vma.populated_pct < 100 and (vma.order or vma.kind == "page_cache"):
        where = f"order = {vma.order}" if vma.order else "kind = 'page_cache'"
        yield f"{key}.populated_pct = {vma.populated_pct:g}: should be 100 where {where}"


def _tables(entry: Process | Vma) -> list[str]:
    """Names of the patterns whose knobs the entry sets."""
    return [name for name in PATTERNS if getattr(entry, name, None) is not None]
