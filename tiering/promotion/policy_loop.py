"""A user's policy as machine code, and the loop that asks it of every hot folio.

A loop is never an argument of another (its calls would not be compiled together), so the loop is
made around each policy, once for each text in a process: two runs of one policy share it, and an
edited file is another one.
"""

import builtins
import functools
import re
from typing import Any, NamedTuple

import numba
import numpy as np
from numba.core.errors import NumbaError

from tiering.engine.folios import GRANULE, NID_MASK, NID_SHIFT
from tiering.engine.jit import DISABLED, Loop, loop
from tiering.engine.reports import end_run
from tiering.promotion.policy_text import (
    ARGUMENTS,
    CALLS,
    Policy,
    PolicyError,
    code_of,
    read_policy,
)

PAGES_PER_MIB = 256.0
_LINE = re.compile(r'File "[^"]*", line (\d+)')
_UNLITERAL: Any = numba.types.unliteral
_BUILT_IN = {name: getattr(builtins, name) for name in CALLS}


class Around(NamedTuple):
    """What the loop knows of the machine. target: nid. high, promo, size: MiB of it. slow: u8[N].
    row_at, nr_rows: i64[P] rows of each mm. asked: i64[P] call in which its memory was added up
    last; resident: f64[P] MiB on the top tier then."""

    target: int
    high: float
    promo: float
    size: float
    slow: Any
    row_at: Any
    nr_rows: Any
    asked: Any
    resident: Any


@loop
def resident_top(memory, around, mm):  # type: ignore[no-untyped-def]
    """MiB of an mm on the top tier."""
    pages = np.int64(0)
    first = around.row_at[mm]
    for row in range(first, first + around.nr_rows[mm]):
        for nid in range(memory.free.size):
            if around.slow[nid] == 0:
                pages += memory.resident[row, nid] * memory.pages[row]
    return pages / PAGES_PER_MIB


@loop
def order_of(pages):  # type: ignore[no-untyped-def]
    """Order of a folio of so many pages."""
    order = np.int64(0)
    while (pages >> (order + 1)) > 0:
        order += 1
    return order


def _loop_around(ask: Loop) -> Loop:
    def decide(memory, around, state, call, hot, latency, heat, now_ms, out):  # type: ignore[no-untyped-def]
        n, nr_runs, first = np.int64(0), np.int64(0), np.int64(0)
        free = memory.free[around.target] / PAGES_PER_MIB
        for run in range(hot.ends.size):
            before = n
            for i in range(first, hot.ends[run]):
                index = np.int64(hot.folios[i])
                granule = index // GRANULE
                mm = np.int64(memory.mm[granule])
                if around.asked[mm] != call:
                    around.asked[mm] = call
                    around.resident[mm] = resident_top(memory, around, mm)
                pages = memory.pages[memory.row0[granule]]
                nid = np.int64((memory.folio[index] & np.uint32(NID_MASK)) >> np.uint32(NID_SHIFT))
                passes = ask(
                    now_ms, mm, np.int64(around.asked.size), nid, order_of(pages),
                    heat[i] if heat.size > 0 else np.int64(-1),
                    latency[i] if latency.size > 0 else np.int64(-1),
                    free, around.high, around.promo, around.size, around.resident[mm], state,
                )  # fmt: skip
                if passes:
                    out.folios[n] = hot.folios[i]
                    n += 1
                    free -= pages / PAGES_PER_MIB
                    around.resident[mm] += pages / PAGES_PER_MIB
            first = hot.ends[run]
            nr_runs = end_run(out, n, nr_runs, before, hot.stamps[run])
        return n, nr_runs

    compiled: Loop = loop(foreign=True)(decide)
    return compiled


@functools.lru_cache(maxsize=32)
def decider(policy: Policy) -> Loop:
    """The loop that asks a policy; raises PolicyError if that does not compile or decide."""
    policy = read_policy(policy.file, policy.text)  # it may come from a checkpoint
    names: dict[str, Any] = {"__builtins__": _BUILT_IN, "__name__": "policy"}
    exec(compile(code_of(policy), policy.file, "exec"), names)  # noqa: S102 - read_policy passed it
    own = loop(foreign=True)(names[policy.name])
    if not DISABLED:
        _check_types(policy, own)
    names["policy_itself"] = own
    every, some = ", ".join(ARGUMENTS), ", ".join(policy.arguments)
    exec(f"def ask({every}):\n    return policy_itself({some})\n", names)  # noqa: S102 - our text
    return _loop_around(loop(foreign=True)(names["ask"]))


def _check_types(policy: Policy, own: Any) -> None:
    try:
        returned = own.returns(tuple(_type_of(name) for name in policy.arguments))
    except NumbaError as error:
        line, reason = _reason(str(error), policy.line)
        raise PolicyError(f"{policy.file}, line {line}: does not compile: {reason}") from error
    if _UNLITERAL(returned) != numba.types.boolean:
        raise PolicyError(
            f"{policy.file}, line {policy.line}: {policy.name} returns {returned}; a policy "
            "returns True or False at every end"
        )


def _type_of(name: str) -> Any:
    if name == "state":
        return numba.types.Array(numba.types.float64, 1, "C")
    return numba.types.float64 if name.endswith("_mib") else numba.types.int64


def _reason(message: str, line: int) -> tuple[int, str]:
    """(line, reason) of a message of the compiler's, which has many lines."""
    found = _LINE.search(message)
    said = [one.strip() for one in message.splitlines()]
    said = [one for one in said if one and not one.startswith(("Failed in", "File ", "- "))]
    return int(found.group(1)) if found else line, said[0] if said else "no reason is given"
