"""AVX-512 where the compiler makes no vector code by itself: which CPUs have it, and how to say it.

A loop that needs it takes a `step` of a few vector instructions beside a portable twin that gives
the same bits. numba compiles and caches the steps with the loop: there is nothing to install.

scratch.vector says at run time which of the two is taken; TIERSCOPE_SIMD=0 makes that the portable
one. What would not even compile for other CPUs is chosen by AVAILABLE at import.
"""

import os
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

import numba
from llvmlite import ir
from numba import types
from numba.core.codegen import get_host_cpu_features
from numba.extending import intrinsic

from tiering.engine.jit import DISABLED

FEATURES = ("avx512f", "avx512bw", "avx512vl")
LINE_BYTES = 64  # of a cache line
_I32, _I64 = ir.IntType(32), ir.IntType(64)


def available() -> bool:
    """True if loops are compiled for a CPU with FEATURES; NUMBA_CPU_FEATURES and such count."""
    features = getattr(numba.config, "CPU_FEATURES", None)
    if features is None:
        features = get_host_cpu_features()  # type: ignore[no-untyped-call]
    return not DISABLED and all(f"+{name}" in features.split(",") for name in FEATURES)


AVAILABLE = available()
"""Safe to choose loops by: numba's cache keeps code for other CPU features apart."""
ENABLED = AVAILABLE and os.environ.get("TIERSCOPE_SIMD", "1") != "0"


def step(result: Any) -> Callable[[Callable[..., Any]], Any]:
    """Make a function that loops can call, returning a number of numba's type `result`.

    The decorated function writes its code. It gets llvmlite's IRBuilder, whose methods are the
    instructions, then the arguments of the call: an `Array` each, or a number of 64 bits.
    """

    def callable_step(write: Callable[..., Any]) -> Any:
        @wraps(write)  # numba reads the number of arguments off the signature
        def typed(_typing: Any, *arguments: Any) -> Any:
            kinds = [one if isinstance(one, types.Array) else types.int64 for one in arguments]

            def code(context: Any, builder: Any, _signature: Any, values: Any) -> Any:
                words = [
                    Array(builder, context.make_array(kind)(context, builder, value).data)
                    if isinstance(kind, types.Array)
                    else value
                    for kind, value in zip(kinds, values, strict=True)
                ]
                return write(builder, *words)

            return result(*kinds), code

        return intrinsic(typed)

    return callable_step


class Array:
    """A contiguous array in a step. An index is a Python number or one of 64 bits in the step."""

    def __init__(self, builder: Any, data: Any) -> None:
        self._builder, self._data = builder, data
        self._bytes = data.type.pointee.width // 8

    def load(self, index: Any, nr: int) -> Any:
        """Vector of array[index : index + nr]."""
        vector = self._builder.load(self._place(index, ir.VectorType(self._data.type.pointee, nr)))
        vector.align = self._bytes
        return vector

    def store(self, vector: Any, index: Any) -> None:
        """array[index : index + length of the vector] = vector."""
        self._builder.store(vector, self._place(index, vector.type)).align = self._bytes

    def prefetch(self, index: Any, nr: int) -> None:
        """Have array[index : index + nr] fetched for writing; it may lie beyond the array's end."""
        for offset in range(0, nr, LINE_BYTES // self._bytes):
            place = self._place(self._builder.add(index, _I64(offset)), ir.IntType(8))
            call(self._builder, "llvm.prefetch.p0", ir.VoidType(), place, _I32(1), _I32(3), _I32(1))

    def _place(self, index: Any, kind: Any) -> Any:
        first = self._builder.gep(self._data, [_I64(index) if isinstance(index, int) else index])
        return self._builder.bitcast(first, kind.as_pointer())


def constant(kind: Any, numbers: Iterable[int]) -> Any:
    """Vector of constants of one kind."""
    values = list(numbers)
    return ir.Constant(ir.VectorType(kind, len(values)), values)


def repeat(builder: Any, number: Any, nr: int) -> Any:
    """Vector of `nr` times the same number."""
    empty = ir.Constant(ir.VectorType(number.type, nr), ir.Undefined)
    first = builder.insert_element(empty, number, _I64(0))
    return builder.shuffle_vector(first, empty, constant(_I32, [0] * nr))


def call(builder: Any, name: str, result: Any, *arguments: Any) -> Any:
    """Call LLVM's own function `name`: one instruction, or a few."""
    function = builder.module.globals.get(name)
    if function is None:
        kinds = [argument.type for argument in arguments]
        function = ir.Function(builder.module, ir.FunctionType(result, kinds), name)
    return builder.call(function, arguments)
