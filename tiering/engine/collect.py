"""Collect: the places where an array of hits is not 0, in order, portable or in AVX-512.

Compilers make no vector code of it, because where a place goes depends on all hits before it.
AVX-512 moves the wanted ones of 16 numbers to the front at once.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types

from tiering.engine.jit import loop
from tiering.engine.vectors import call, constant, repeat, step

GROUP = 16  # hits a step of vector code


@loop
def collect(hit, first, out, n, vector):  # type: ignore[no-untyped-def]
    """Append first + i to out[n:] wherever hit[i] = 1 (else 0); returns the new n.

    hit: u8[]; out: u32[>= n + hit.size], all of which may be overwritten; vector: scratch.vector.
    """
    done = 0
    if vector:
        done = hit.size - hit.size % GROUP
        for i in range(0, done, GROUP):
            n = _collect_group(hit, i, first, out, n)
    return _portable(hit[done:], first + done, out, n)


@loop
def _portable(hit, first, out, n):  # type: ignore[no-untyped-def]
    nr = hit.size
    hits = np.uint32(0)
    for i in range(nr):
        hits += np.uint32(hit[i])
    if hits == nr:  # as on a first walk
        whole = out[n : n + nr]
        for i in range(nr):
            whole[i] = np.uint32(first + i)
        n += nr
    elif hits > 0:
        for i in range(nr):
            out[n] = first + i
            n += np.int64(hit[i])
    return n


@step(types.int64)
def _collect_group(code: Any, hit: Any, i: Any, first: Any, out: Any, n: Any) -> Any:
    """`_portable` for hit[i : i + GROUP], but GROUP numbers are written whatever the hits.

    hit: u8[]; out: u32[]. n grows no faster than i, so nothing is written beyond where the group
    would end if all before it and in it were hits.
    """
    hits = hit.load(i, GROUP)
    wanted = code.icmp_unsigned("!=", hits, constant(hits.type.element, [0] * GROUP))
    begin = code.trunc(code.add(first, i), ir.IntType(32))
    places = code.add(repeat(code, begin, GROUP), constant(begin.type, range(GROUP)))
    front = call(
        code, "llvm.experimental.vector.compress.v16i32", places.type, places, wanted, places
    )
    out.store(front, n)
    mask = code.bitcast(wanted, ir.IntType(GROUP))
    nr = call(code, "llvm.ctpop.i16", mask.type, mask)
    return code.add(n, code.zext(nr, n.type))
