"""Draw which folios of a block were touched since the last look, portable or in AVX-512.

A folio is touched if a random number is below the threshold of its class. 16 bits of both decide
all but one folio in 65,536; ties are settled with 16 more, so probabilities are exact to 2**-32.

Compilers make vector code of all of it but the lookup of thresholds by class. AVX-512 looks up 32
folios at once, in a table of up to 64 classes; the result is the same bits.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types

from tiering.engine.folios import CLASS_MASK
from tiering.engine.jit import loop
from tiering.engine.random import GAMMA, mix64
from tiering.engine.touch import BLOCK
from tiering.engine.vectors import AVAILABLE, call, step

GROUP = 32  # folios a step of vector code
TABLE = 64  # classes it can look up
_CLASS = np.uint32(CLASS_MASK)
_HALF = np.uint32(16)
_LOW = np.uint32(0xFFFF)
_SALT = np.uint64(0xBF58476D1CE4E5B9)


@loop
def draw_block(part, rows, base, key, scratch):  # type: ignore[no-untyped-def]
    """scratch.touched[i] = 1 with the probability of folio part[i], else 0.

    part: u32[<= BLOCK], a slice of the folio array that begins `base` folios (a multiple of BLOCK)
    into its granule; rows: classes of the granule; key: random key of this look.
    """
    nr = part.size
    counter = np.uint64(base >> 2) * GAMMA + key
    for j in range((nr + 3) >> 2):
        scratch.lanes[j] = mix64(counter)
        counter += GAMMA
    lanes = scratch.lanes.view(np.uint16)[:nr]
    touched = scratch.touched[:nr]
    done = 0
    if scratch.vector and rows <= TABLE:
        done = _whole_groups(part, lanes, touched, base, key, scratch)
    if done < nr:
        _portable(part[done:], lanes[done:], touched[done:], rows, base + done, key, scratch)


@loop
def _portable(part, lanes, touched, rows, base, key, scratch):  # type: ignore[no-untyped-def]
    """Lookups in a loop of their own, so that the compiler can make vector code of the rest."""
    nr = part.size
    limit, high = scratch.limit[:nr], scratch.high
    if rows == 1:
        limit[:] = high[0]
    else:
        for i in range(nr):
            limit[i] = high[part[i] & _CLASS]
    ties = np.uint32(0)
    for i in range(nr):
        lane = np.uint32(lanes[i])
        touched[i] = np.uint32(lane < limit[i])
        ties |= np.uint32(lane == limit[i])
    if ties:
        _settle(part, lanes, touched, base, key, scratch)


@loop
def _settle(part, lanes, touched, base, key, scratch):  # type: ignore[no-untyped-def]
    """Decide the folios whose 16 bits equal those of their threshold."""
    for i in range(part.size):
        threshold = scratch.threshold[part[i] & _CLASS]
        if lanes[i] == threshold >> _HALF:
            low = np.uint32(mix64(key ^ (np.uint64(base + i) * _SALT)) & np.uint64(0xFFFF))
            touched[i] = np.uint32(low < (threshold & _LOW))


@step(types.uint32)
def _draw_group(code: Any, part: Any, i: Any, lanes: Any, high: Any, touched: Any) -> Any:
    """`_portable` for part[i : i + GROUP] without ties; those come back as bits of a u32.

    part: u32[]; lanes: u16[]; high: u16[>= TABLE]; touched: u32[].
    """
    folios, random = part.load(i, GROUP), lanes.load(i, GROUP)
    part.prefetch(code.add(i, i.type(BLOCK)), GROUP)  # the next block, from memory
    limits = call(
        code, "llvm.x86.avx512.vpermi2var.hi.512", random.type,
        high.load(0, GROUP),
        code.trunc(folios, random.type),  # the low 6 bits choose: the class
        high.load(GROUP, GROUP),
    )  # fmt: skip
    below = code.icmp_unsigned("<", random, limits)
    touched.store(code.zext(below, folios.type), i)
    return code.bitcast(code.icmp_unsigned("==", random, limits), ir.IntType(GROUP))


@loop
def _vector(part, lanes, touched, base, key, scratch):  # type: ignore[no-untyped-def]
    """Draw for all whole groups of `part`; returns how many folios that are."""
    nr = part.size // GROUP
    ties = scratch.ties[:nr]
    tied = np.uint32(0)
    for g in range(nr):
        ties[g] = _draw_group(part, g * GROUP, lanes, scratch.high, touched)
        tied |= ties[g]
    if tied:
        for g in range(nr):
            if ties[g]:
                i, end = g * GROUP, (g + 1) * GROUP
                _settle(part[i:end], lanes[i:end], touched[i:end], base + i, key, scratch)
    return nr * GROUP


@loop
def _none(*_arguments):  # type: ignore[no-untyped-def]
    """Stands in where the instruction is missing and would not compile."""
    return 0


_whole_groups = _vector if AVAILABLE else _none
