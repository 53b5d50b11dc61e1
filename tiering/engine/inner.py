"""Loops that other loops call are compiled together with their caller (docs/decisions/0010).

numba optimises a function and makes machine code of it by itself, then again inside every function
that calls it, and again inside their callers: most of the time of a first start, where helpers are
ten deep. Called by a loop, a loop is only lowered to LLVM's language here; it is optimised and
becomes machine code once, in the loop that Python calls.
"""

from collections.abc import Callable
from typing import Any

import numba
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler


class Compiled:
    """A function that is compiled for Python when Python calls it, and for loops when they do."""

    def __init__(self, plain: Callable[..., Any], flags: dict[str, Any]) -> None:
        self.py_func = self.__wrapped__ = plain
        self.__name__, self.__doc__ = plain.__name__, plain.__doc__
        self._outer: Any = numba.njit(**flags)(plain)
        inner = flags | {"cache": False, "no_cpython_wrapper": True}
        self._inner: Any = numba.njit(**inner, pipeline_class=_Lowering)(plain)
        self._numba_type_ = self._inner._numba_type_  # what numba sees where a loop names it

    def __call__(self, *arguments: Any) -> Any:
        return self._outer(*arguments)

    @property
    def flags(self) -> dict[str, Any]:
        """Compiler flags by numba's names."""
        return dict(self._outer.targetoptions)

    @property
    def cache_hits(self) -> int:
        """How often its code came from the cache."""
        return sum(self._outer.stats.cache_hits.values())

    def returns(self, types: tuple[Any, ...]) -> Any:
        """The numba type of what it returns for arguments of these types; raises NumbaError."""
        self._outer.compile(types)
        return self._outer.overloads[types].signature.return_type

    def code(self, types: tuple[Any, ...]) -> Callable[..., Any]:
        """The machine code for arguments of these numba types, as a Python function."""
        self._outer.compile(types)
        entry: Callable[..., Any] = self._outer.overloads[types].entry_point
        return entry


class _Lowered(JITCodeLibrary):
    """Code that is there to be linked into that of a caller: not optimised, not in the engine."""

    @property
    def codegen(self) -> Any:
        return _WithoutEngine(self._codegen)

    def _optimize_final_module(self) -> None: ...

    def _finalize_final_module(self) -> None:
        self._finalize_dynamic_globals()  # type: ignore[no-untyped-call]
        self._finalized = True

    def get_pointer_to_function(self, _name: str) -> int:
        return 1  # nobody calls it, but numba makes an object of it


class _WithoutEngine:
    """A code generator that writes no addresses into machine code, since there is none."""

    def __init__(self, codegen: Any) -> None:
        self._codegen = codegen

    def __getattr__(self, name: str) -> Any:
        return getattr(self._codegen, name)

    def set_env(self, _name: str, _env: Any) -> None: ...


class _Lowering(Compiler):
    """numba's compiler, but into `_Lowered`."""

    def __init__(self, typing: Any, target: Any, _library: Any, *rest: Any) -> None:
        library: Any = _Lowered(target.codegen(), "loop")  # type: ignore[no-untyped-call]
        super().__init__(typing, target, library, *rest)  # type: ignore[no-untyped-call]
