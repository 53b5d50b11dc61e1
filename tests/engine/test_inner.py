"""Loops inside loops: one piece of machine code, the same results."""

from typing import Any, NamedTuple

import numba
import numpy as np
import pytest

from tiering.engine.jit import DISABLED, loop

pytestmark = pytest.mark.skipif(DISABLED, reason="plain Python has no machine code")


class Pair(NamedTuple):
    values: Any
    total: Any


def nest() -> tuple[Any, Any, Any]:
    @loop
    def add(pair: Any, i: int) -> float:
        pair.total[0] += pair.values[i]
        return float(pair.total[0])

    @loop(inline=True)
    def twice(pair: Any, i: int) -> float:
        return float(add(pair, i) + add(pair, i))

    @loop
    def outermost(pair: Any) -> float:
        last = 0.0
        for i in range(pair.values.size):
            last = twice(pair, i)
        return last

    return add, twice, outermost


def one() -> Pair:
    return Pair(np.arange(5.0), np.zeros(1))


def machine_code(outer: Any) -> list[str]:
    """Names of the functions that the code of a loop still calls or holds."""
    (compiled,) = outer._outer.overloads.values()
    return [str(function.name) for function in compiled.library.get_defined_functions()]


def test_a_loop_gives_what_its_python_would_whoever_calls_it() -> None:
    add, twice, outermost = nest()
    pair = one()
    assert outermost(pair) == 20.0 + 16.0
    assert pair.total[0] == 20.0
    assert twice(pair, 1) == 21.0 + 22.0
    assert add(pair, 4) == 26.0


def test_there_is_no_machine_code_of_a_loop_that_only_loops_call() -> None:
    add, twice, outermost = nest()
    outermost(one())
    assert [len(each._outer.overloads) for each in (add, twice, outermost)] == [0, 0, 1]
    assert not any("add" in name or "twice" in name for name in machine_code(outermost))
    add(one(), 0)
    assert len(add._outer.overloads) == 1, "until Python calls it"


def test_other_types_of_arguments_are_compiled_as_well() -> None:
    *_, outermost = nest()
    assert outermost(one()) == 36.0
    halves = Pair(np.arange(5, dtype=np.float32), np.zeros(1, np.float32))
    assert outermost(halves) == 36.0
    assert len(outermost._outer.overloads) == 2


def test_an_error_in_a_loop_that_a_loop_calls_names_it() -> None:
    @loop
    def spells(number: int) -> Any:
        return number + "one"  # type: ignore[operator]

    @loop
    def calls(number: int) -> Any:
        return spells(number)

    with pytest.raises(numba.core.errors.TypingError, match="spells"):
        calls(1)
