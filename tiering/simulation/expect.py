"""`[expect]`: the answer to a scenario's question, and checks of it that its run has to pass.

    [expect]
    answer = "One sentence that the run supports."
    checks = ["top_tier_share >= 0.9 * oracle_share", "mean_throughput > none:mean_throughput"]
    [expect.variants]
    none = { preset = "none" }
    [expect.run]
    until_s = 20.0

A check compares a figure with a bound, with another figure, or with a multiple of one. A figure is
one of the result by its dotted path (`full_scan_ms.max`, `thread_busy_s.kmmscand`), or max, min,
mean or last of a metric over the rows, of all columns or of one (`max(mm.scan_period_ms.app)`),
of those later than a time if that is said (`mean(top_tier_share after 60)`, in s). `NAME:` before
it takes it from a run with the changes of that variant. `run`: changes for all runs of the checks,
where less time or memory says the same.
"""

import re
from collections.abc import Iterator
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from tiering.model.metric import Metric
from tiering.model.metrics import METRICS

_NUMBER = r"[0-9]+(?:\.[0-9]+)?(?:e-?[0-9]+)?"
_PATH = r"[A-Za-z_][A-Za-z0-9_.-]*"
_FIGURE = rf"(?:[a-z][a-z0-9_]*:)?(?:(?:max|min|mean|last)\({_PATH}(?: after {_NUMBER})?\)|{_PATH})"
_CHECK = rf"({_FIGURE}) (<|<=|>|>=|=) (?:({_NUMBER})|(?:({_NUMBER}) \* )?({_FIGURE}))"
_PARTS = re.compile(
    rf"(?:([a-z][a-z0-9_]*):)?(?:(max|min|mean|last)\(({_PATH})(?: after ({_NUMBER}))?\)|({_PATH}))"
)

CheckText = Annotated[
    str,
    Field(
        pattern=f"^{_CHECK}$",
        max_length=200,
        description=(
            "a check such as 'top_tier_share >= 0.9 * oracle_share': a figure, one of < <= > >= =, "
            "and a number, a figure or a number * a figure"
        ),
    ),
]
Changes = Annotated[
    dict[str, str | int | float | bool | list[str]],
    Field(description="a table of keys as --set takes them, in quotes, with their values"),
]
_NAME = "a name of small letters, digits or _ that begins with a letter"
Variants = Annotated[
    dict[Annotated[str, Field(pattern="^[a-z][a-z0-9_]*$", description=_NAME)], Changes],
    Field(
        description="a table for each variant, whose name is of small letters, digits or _, of "
        "keys as --set takes them, in quotes, with their values"
    ),
]


class Expect(BaseModel):
    """The table `expect` of a scenario."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    answer: str = Field(min_length=1, max_length=400)
    checks: list[CheckText] = Field(min_length=1, max_length=32)
    variants: Variants = {}
    run: Changes = {}


class Figure(NamedTuple):
    """variant: "" = the scenario as it is. over: how rows add up, "" = a figure of the result.
    after_s: rows later than that."""

    variant: str
    over: str
    path: str
    after_s: float


class Check(NamedTuple):
    """figure, operator, and factor x other; without other the factor is the bound."""

    text: str
    figure: Figure
    operator: str
    factor: float
    other: Figure | None


def checks(expect: Expect) -> list[Check]:
    """The checks, taken apart."""
    return [_check(text) for text in expect.checks]


def _check(text: str) -> Check:
    match = re.fullmatch(_CHECK, text)
    if match is None:
        raise ValueError(f"{text!r} is no check")
    figure, operator, bound, factor, other = match.groups()
    if other is None:
        return Check(text, _figure(figure), operator, float(bound), None)
    return Check(text, _figure(figure), operator, float(factor or 1), _figure(other))


def _figure(text: str) -> Figure:
    match = _PARTS.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no figure")
    variant, over, column, after, path = match.groups()
    return Figure(variant or "", over or "", column or path, float(after or 0))


def figures(expect: Expect) -> list[tuple[int, Figure]]:
    """(number of the check, figure) of all figures that checks name."""
    return [
        (at, figure)
        for at, check in enumerate(checks(expect))
        for figure in (check.figure, check.other)
        if figure is not None
    ]


def metric_of(path: str) -> tuple[Metric, str]:
    """The metric of a column and the name after it, "" for all; raises KeyError."""
    for metric in METRICS:
        if path == metric.field or path.startswith(f"{metric.field}."):
            return metric, path[len(metric.field) + 1 :]
    raise KeyError(path)


def expect_problems(expect: Expect | None) -> Iterator[str]:
    """A sentence for each check or variant that names what is not there or says nothing."""
    if expect is None:
        return
    used = set()
    for at, figure in figures(expect):
        where = f"expect.checks.{at} = {expect.checks[at]!r}"
        used.add(figure.variant)
        if figure.variant and figure.variant not in expect.variants:
            known = ", ".join(expect.variants) or "none"
            yield f"{where}: there is no variant {figure.variant}; in expect.variants: {known}"
        if figure.over and not _is_metric(figure.path):
            yield f"{where}: {figure.path} is no metric of the rows"
    for name in expect.variants:
        if name not in used:
            yield f"expect.variants.{name}: no check names it"


def _is_metric(path: str) -> bool:
    try:
        metric, name = metric_of(path)
    except KeyError:
        return False
    return not name or metric.scope in ("node", "mm", "thread")


def changes(expect: Expect, variant: str) -> dict[str, Any]:
    """What the runs of a variant change, "" = the scenario as it is."""
    own = expect.variants[variant] if variant else {}
    return {**expect.run, **own}
