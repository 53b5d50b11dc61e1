"""docs/performance.md: what stands between its markers is written by `bench --write`.

A part begins with `<!-- bench: NAME -->` and ends with `<!-- bench: end -->`; all other text is
written by people and stays. Plots go into a folder beside the document, named like it.
"""

import os
import platform
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import numpy as np

from tiering.charts.colours import NEUTRAL, tier_colour
from tiering.cli.bench_cost import BASE_MMS, by_accesses, folios_fit
from tiering.cli.bench_sources import PREFIX
from tiering.cli.marked import Marks, row
from tiering.cli.measure import Figure, number
from tiering.report.plot import Axis, Curve, Plot
from tiering.report.svg import svg
from tiering.simulation.load import ScenarioError

MARKS = Marks("bench")
END = MARKS.end
PARTS = ("machine", "targets", "table", "by source", "by folios", "by accesses")
GIB = 2**30
PACKAGES = ("numpy", "numba", "llvmlite")
Figures = Mapping[str, Figure]


def check_document(path: Path) -> None:
    """Raises ScenarioError if the document is not there or lacks a part."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ScenarioError(f"{path}: cannot be read: {error.strerror}") from error
    if missing := MARKS.missing(text, PARTS):
        raise ScenarioError(f"{path}: has no part {missing}")


def write_document(path: Path, figures: Figures) -> None:
    """Replace all parts of a checked document, and its plots."""
    text = path.read_text(encoding="utf-8")
    folder = path.with_suffix("")
    folder.mkdir(exist_ok=True)
    parts = {
        "machine": machine(),
        "targets": targets(figures),
        "table": table({name: one for name, one in figures.items() if not _of_source(name)}),
        "by source": table({name: one for name, one in figures.items() if _of_source(name)}),
        "by folios": sentence(figures["cost_by_folios"]),
        "by accesses": sentence(figures["cost_by_accesses"]),
    }
    text = MARKS.replaced(text, parts)
    for name, plot in PLOTS.items():
        (folder / name).write_text(svg(plot()), encoding="utf-8")
    path.write_text(text, encoding="utf-8")


def machine() -> str:
    """Where and when it was measured."""
    pages, page_bytes = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    release = ".".join(platform.release().split(".")[:2])  # the rest is a builder's name for it
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return (
        f"- {_cpu()}, {os.cpu_count()} CPUs, {pages * page_bytes / GIB:.0f} GiB of memory\n"
        f"- {platform.system()} {release}, Python {platform.python_version()}, "
        f"{packages}\n"
        f"- {datetime.now(UTC).date().isoformat()}, load average {os.getloadavg()[1]:.1f} over the "
        "last 5 minutes: 1 is this measurement itself, more is other work that it shared CPUs with"
    )


def targets(figures: Figures) -> str:
    """How many targets are met, and which are missed by how much."""
    aimed = {name: one for name, one in figures.items() if one.target is not None}
    missed = {name: one for name, one in aimed.items() if not one.met}
    lines = [f"{len(aimed) - len(missed)} of {len(aimed)} targets are met."]
    lines += [
        f"- `{name}` is missed: {number(one.value)} of {number(one.target or 0)} {one.unit}"
        for name, one in missed.items()
    ]
    return "\n".join([lines[0], "", *lines[1:]]).rstrip()


def table(figures: Figures) -> str:
    """All figures as a table."""
    lines = [
        "| benchmark | measured | target | of the limit | what it did |",
        "|---|---:|---|---|---|",
    ]
    for name, one in figures.items():
        target = one.verdict.removeprefix("target ").replace("MISSED", "**missed**")
        cells = (f"`{name}`", f"{number(one.value)} {one.unit}", target, one.ratio, one.note)
        lines.append(row(cells))
    return "\n".join(lines)


def _of_source(name: str) -> bool:
    return name.startswith(PREFIX)


def sentence(figure: Figure) -> str:
    """A figure in running text."""
    return f"Measured: {number(figure.value)} {figure.unit} ({figure.note})."


def folios_plot() -> Plot:
    """CPU time over folios visited."""
    visited, cost, line = folios_fit()
    fitted = line[0] * visited + line[1]
    return Plot(
        "Cost over folios visited",
        "CPU time of one simulated second; every folio is visited once a second",
        Axis("folios visited per simulated second"),
        Axis("CPU time per simulated second", "ms"),
        (
            Curve("straight line, least squares", visited, fitted, NEUTRAL, dash="dash"),
            Curve("visits alone", visited, cost, tier_colour(0), "points"),
        ),
    )


def accesses_plot() -> Plot:
    """CPU time over accesses made."""
    names = {False: "visits alone", True: "with promotion and demotion"}
    curves = []
    for nr, (promoting, name) in enumerate(names.items()):
        points = by_accesses(promoting)
        x = np.array([one.nr_accesses for one in points])
        y = np.array([one.cpu_ms for one in points])
        curves.append(Curve(name, x, y, tier_colour(nr), "points"))
    return Plot(
        "Cost over accesses made",
        f"CPU time of one simulated second; {BASE_MMS} processes of 1 GiB, visited once a second",
        Axis("accesses per simulated second", log=True),
        Axis("CPU time per simulated second", "ms"),
        tuple(curves),
    )


PLOTS: dict[str, Callable[[], Plot]] = {
    "cost-by-folios.svg": folios_plot,
    "cost-by-accesses.svg": accesses_plot,
}


def _cpu() -> str:
    """Name of the CPU; the kind of machine where nothing says it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
