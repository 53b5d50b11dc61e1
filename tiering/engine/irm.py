"""Traces of the independent reference model: every access draws its page anew from one law.

Walker's alias method (Walker 1977; Vose 1991) in whole numbers. The law is rounded once, to
weights in units of 1 / (2**32 N); the table then represents these weights exactly, and access i of
a trace is a function of (table, key, i) alone: the same bits on any CPU, in pieces of any size.
"""

import numpy as np
from numpy.typing import NDArray

from tiering.engine.elementary import power
from tiering.engine.jit import loop
from tiering.engine.random import GAMMA, mix64, stream_key

MAX_PAGES = 2**30
BLOCK = 1024  # accesses drawn at a time, so that the loops vectorise
_HALF = np.uint64(32)
_LOW = np.uint64(0xFFFFFFFF)
_CELL = np.int64(2**32)  # weight of one cell of the table


def zipf_law(nr_pages: int, exponent: float) -> NDArray[np.float64]:
    """f64[N], probabilities of the ranks 1 .. N, proportional to rank**-exponent."""
    weight = power(np.arange(1, nr_pages + 1, dtype=np.float64), -exponent)
    return np.asarray(weight / np.cumsum(weight)[-1])


def irm_trace(law: NDArray[np.float64], nr_accesses: int, *key: int) -> NDArray[np.uint32]:
    """u32[nr_accesses] page ids, each page i drawn with probability law[i]; `key` names the stream.

    law: f64[N], 0 < N <= 2**30, of sum 1 to within 1e-9 (ValueError if not).
    """
    trace = np.empty(nr_accesses, np.uint32)
    draw(alias_table(law), stream_key(*key), 0, trace)
    return trace


def alias_table(law: NDArray[np.float64]) -> NDArray[np.uint64]:
    """u64[N] for `draw`: cell i keeps page i below the threshold in its upper half, else an alias.

    Probabilities are those of the law to within 1 / (2**33 N); the page of largest probability
    takes the rest of the rounding, at most 2**-33 and what the law's sum lacks.
    """
    if not 0 < law.size <= MAX_PAGES:
        raise ValueError(f"law of {law.size} pages: 1 to {MAX_PAGES} are possible")
    total = float(np.cumsum(law)[-1])
    if not (law.min() >= 0.0 and abs(total - 1.0) < 1e-9):
        raise ValueError(f"law: probabilities from {law.min()} with sum {total}, not >= 0 and 1")
    weight = np.rint(law * (float(_CELL) * law.size)).astype(np.int64)
    weight[np.argmax(weight)] += _CELL * law.size - weight.sum()
    return np.asarray(pair(weight))


@loop(allocates=True)
def pair(weight):  # type: ignore[no-untyped-def]
    """Fill every cell with one light page and, above it, a part of a heavy one; empties weight.

    weight: i64[N] of sum N * _CELL, so nothing is left over. Light pages wait in the stack's left
    end, pages of at least a cell in its right end.
    """
    nr = weight.size
    stack = np.empty(nr, np.int64)
    light, heavy = 0, nr
    for page in range(nr):
        if weight[page] < _CELL:
            stack[light] = page
            light += 1
        else:
            heavy -= 1
            stack[heavy] = page
    table = np.empty(nr, np.uint64)
    while light > 0:
        light -= 1
        page, donor = stack[light], stack[heavy]
        table[page] = (np.uint64(weight[page]) << _HALF) | np.uint64(donor)
        weight[donor] -= _CELL - weight[page]
        if weight[donor] < _CELL:
            stack[light] = donor
            light += 1
            heavy += 1
    for at in range(heavy, nr):  # a cell each
        table[stack[at]] = np.uint64(stack[at])
    return table


@loop(inline=True)
def scaled(bits, nr):  # type: ignore[no-untyped-def]
    """bits * nr / 2**32 rounded down, for any u64 bits and nr < 2**32."""
    return (bits >> _HALF) * nr + (((bits & _LOW) * nr) >> _HALF)


@loop(allocates=True)
def draw(table, key, first, out):  # type: ignore[no-untyped-def]
    """out: u32, the pages of accesses first, first + 1, ... of the stream `key`.

    64 random bits scaled by N are a cell in the upper half and a fraction of it in the lower one.
    """
    nr = np.uint64(table.size)
    place = np.empty(BLOCK, np.uint64)
    cell = np.empty(BLOCK, np.uint64)
    for base in range(0, out.size, BLOCK):
        end = min(BLOCK, out.size - base)
        for i in range(end):
            bits = mix64(np.uint64(first + base + i) * GAMMA + key)
            place[i] = scaled(bits, nr)
        for i in range(end):
            cell[i] = table[place[i] >> _HALF]
        for i in range(end):
            own = (place[i] & _LOW) < (cell[i] >> _HALF)
            out[base + i] = place[i] >> _HALF if own else cell[i] & _LOW
