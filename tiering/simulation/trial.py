"""Runs of a scenario and its variants, and what its checks measure in them."""

import gc
import operator
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tiering.model.metrics import RowShape, row_dtype
from tiering.simulation.expect import Check, Expect, Figure, changes, checks, metric_of
from tiering.simulation.load import ScenarioError, load_file
from tiering.simulation.loop import Simulation

NS_PER_S = 1_000_000_000
_OPERATORS = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "=": operator.eq,
}  # fmt: skip
_OVER: dict[str, Callable[[NDArray[Any]], Any]] = {
    "max": np.max,
    "min": np.min,
    "mean": np.mean,
    "last": lambda values: values[-1],
}


class Measured(NamedTuple):
    """What a check found. value, bound: None where the run has no such number."""

    check: Check
    value: float | None
    bound: float | None

    @property
    def ok(self) -> bool:
        """Whether the check holds; never without a number."""
        if self.value is None or self.bound is None:
            return False
        return bool(_OPERATORS[self.check.operator](self.value, self.bound))


class Outcome(NamedTuple):
    """Figures of one run, its rows, and the names of their columns."""

    known: dict[str, Any]
    rows: NDArray[Any]
    shape: RowShape


def trial(where: str, overrides: dict[str, Any]) -> Iterator[Measured]:
    """Run what the checks of a scenario name, each run once, and measure; raises ScenarioError."""
    expect: Expect | None = load_file(where, overrides).expect
    if expect is None:
        raise ScenarioError(f"{where}: has no [expect]")
    runs: dict[str, Outcome] = {}
    for at, check in enumerate(checks(expect)):
        values = []
        for figure in (check.figure, check.other):
            if figure is None:
                continue
            if figure.variant not in runs:
                changed = {**changes(expect, figure.variant), **overrides}
                runs[figure.variant] = outcome(where, changed)
            try:
                values.append(measured(figure, runs[figure.variant]))
            except KeyError as error:
                message = f"{where}: expect.checks.{at} = {check.text!r}: {error.args[0]}"
                raise ScenarioError(message) from error
        value, *others = values
        if not others:
            yield Measured(check, value, check.factor)
        else:
            (other,) = others
            yield Measured(check, value, None if other is None else check.factor * other)


def outcome(where: str, overrides: dict[str, Any]) -> Outcome:
    """Run to the end."""
    scenario = load_file(where, overrides)
    simulation = Simulation(scenario, scenario.seed)
    dtype, rows = row_dtype(simulation.shape), []
    while not simulation.done:
        rows.append(simulation.next_block().array(dtype))
    result, shape = simulation.result(), simulation.shape
    del simulation
    gc.collect()
    known = {"elapsed_s": result["elapsed_s"], **result["counters"], **result["metrics"]}
    return Outcome(known, np.concatenate([np.zeros(0, dtype), *rows]), shape)


def measured(figure: Figure, run: Outcome) -> float | None:
    """The figure in a run, None if it has no value there; raises KeyError with a sentence."""
    if figure.over:
        return _of_rows(figure, run)
    value: Any = run.known
    path = figure.path
    while path:
        if value is None:
            return None
        names = value if isinstance(value, dict) else {}
        name = max((n for n in names if path == n or path.startswith(f"{n}.")), key=len, default="")
        if not name:
            told = ", ".join(names) or "nothing below"
            raise KeyError(f"there is no figure {figure.path}; there is {told}")
        value, path = names[name], path[len(name) + 1 :]
    if isinstance(value, dict):
        raise KeyError(f"{figure.path} is several figures: {', '.join(value)}")
    return None if value is None else float(value)


def _of_rows(figure: Figure, run: Outcome) -> float | None:
    metric, name = metric_of(figure.path)
    rows = run.rows[run.rows["time_ns"] > figure.after_s * NS_PER_S]
    values = rows[metric.field]
    if name:
        by_scope = {"node": run.shape.nodes, "mm": run.shape.mms, "thread": run.shape.threads}
        names = by_scope[metric.scope]
        if name not in names:
            raise KeyError(f"{metric.field}: there is no {name}; there is {', '.join(names)}")
        values = values[:, names.index(name)]
    if figure.over == "last" and values.ndim > 1:
        raise KeyError(f"{figure.path}: the last of several columns; name one")
    values = values[~np.isnan(values)].ravel()
    return float(_OVER[figure.over](values)) if values.size else None
