"""The state of a simulation as a flat table that JSON can hold, and the arrays beside it.

The graph of objects is walked from its root along attributes and elements, so a mechanism needs no
line of its own. Each list, dict, object or array becomes one node however often it is met: sharing
and cycles stay. Nothing is copied. What the walk does not know is an error that names the path.
"""

import sys
from collections import deque
from collections.abc import Iterable
from types import ModuleType
from typing import Any

import numpy as np
from numpy.lib.array_utils import byte_bounds
from numpy.typing import NDArray
from pydantic import BaseModel

from tiering.engine.jit import COMPILED
from tiering.simulation.scenario import Scenario

ROOMS = (*COMPILED, "simulation")
"""Packages whose objects may be part of a state: the engine, its mechanisms and what joins them."""
_STATELESS = {
    "builtins.object", "abc.ABC", "typing.Generic", "typing.Protocol",
    "annotated_types.GroupedMetadata",
}  # fmt: skip
_PLAIN = (bool, int, float, str)


class CheckpointError(ValueError):
    """One sentence: which file or attribute, and why it cannot be saved or gone on with."""


class Frozen:
    """The table of a graph: node 0 is the root, a value is a JSON scalar or `[number of a node]`.

    nodes: [kind, ...] each, as `_node` writes and `thaw` reads them. arrays: every array that owns
    its memory, by the attribute path on which it was met first; live arrays, not copies.
    """

    def __init__(self, root: object, scenario: Scenario, name: str) -> None:
        """Walk from `root`; models of `scenario` become references. Raises CheckpointError."""
        self.nodes: list[list[Any] | None] = []
        self.arrays: dict[str, NDArray[Any]] = {}
        self._at: dict[int, int] = {}
        self._models = {id(part): at for at, part in enumerate(models(scenario))}
        self._value(root, name)
        self._refuse_overlaps()

    def _value(self, value: object, path: str) -> Any:
        if value is None or type(value) in _PLAIN:
            return value
        at = self._at.get(id(value))
        if at is None:
            at = self._at[id(value)] = len(self.nodes)
            self.nodes.append(None)
            self.nodes[at] = self._node(value, path)
        elif self.nodes[at] is None and isinstance(value, tuple):
            raise CheckpointError(f"{path}: cannot be saved: a tuple that holds itself")
        return [at]

    def _node(self, value: object, path: str) -> list[Any]:
        kind = type(value)
        if id(value) in self._models:
            return ["model", self._models[id(value)]]
        if isinstance(value, np.ndarray | np.generic | np.dtype):
            return self._numbers(value, path)
        if isinstance(value, list | tuple) and kind in (list, tuple):
            return [kind.__name__, self._elements(value, path)]
        if isinstance(value, deque) and kind is deque:
            return ["deque", self._elements(value, path), value.maxlen]
        if isinstance(value, dict) and kind is dict:
            return ["dict", self._pairs(value, path)]
        if is_record(kind):
            record: Any = value
            parts = zip(record._fields, record, strict=True)
            return ["record", class_name(kind), [self._value(v, f"{path}.{k}") for k, v in parts]]
        if is_plain(kind):
            state = attributes(value)
            own = {name: self._value(part, f"{path}.{name}") for name, part in state.items()}
            return ["object", class_name(kind), own]
        raise _unknown(value, path)

    def _elements(self, values: Iterable[Any], path: str) -> list[Any]:
        return [self._value(value, f"{path}[{at}]") for at, value in enumerate(values)]

    def _pairs(self, values: dict[Any, Any], path: str) -> list[Any]:
        return [
            [self._value(key, f"{path} key {key!r}"), self._value(value, f"{path}[{key!r}]")]
            for key, value in values.items()
        ]

    def _numbers(self, value: Any, path: str) -> list[Any]:
        """An array, a dtype or a scalar of numpy's."""
        if isinstance(value, np.generic) and value.dtype.kind in "biuf" and value.itemsize <= 8:
            return ["number", value.dtype.str, value.item()]
        if isinstance(value, np.dtype) and not value.hasobject:
            return ["dtype", self._keep(np.zeros(0, value), path)]
        if type(value) is np.ndarray and not value.dtype.hasobject:
            return self._array(value, path)
        raise _unknown(value, path)

    def _array(self, array: NDArray[Any], path: str) -> list[Any]:
        """An owner of memory is stored, a view refers to its owner."""
        owner = array
        while isinstance(owner.base, np.ndarray):
            owner = owner.base
        writeable = array.flags.writeable
        if owner is not array:
            whole = self._value(owner, f"{path}.base")
            dtype = self._value(array.dtype, f"{path}.dtype")
            offset = array.ctypes.data - owner.ctypes.data
            return ["view", whole, dtype, offset, array.shape, array.strides, writeable]
        if not array.flags.forc:
            raise CheckpointError(f"{path}: cannot be saved: an array in neither C nor F order")
        return ["array", self._keep(array, path), writeable]

    def _keep(self, array: NDArray[Any], path: str) -> str:
        if path in self.arrays:
            raise CheckpointError(f"{path}: cannot be saved: two arrays of this path")
        self.arrays[path] = array
        return path

    def _refuse_overlaps(self) -> None:
        """Memory that two owners share by other means than numpy would be torn apart."""
        spans = sorted((*byte_bounds(array), path) for path, array in self.arrays.items())
        end, before = 0, ""
        for first, last, path in spans:
            if first < end and last > first:
                raise CheckpointError(f"{path}: cannot be saved: shares memory with {before}")
            if last > end:
                end, before = last, path


def models(scenario: Scenario) -> list[BaseModel]:
    """The scenario and all models in it, always in the same order."""
    found: list[BaseModel] = []
    waiting: list[Any] = [scenario]
    while waiting:
        part = waiting.pop()
        if isinstance(part, BaseModel):
            found.append(part)
            waiting += vars(part).values()
        elif type(part) in (list, tuple):
            waiting += part
    return found


def class_name(kind: type) -> str:
    """`module:name`, as the table writes it."""
    return f"{kind.__module__}:{kind.__qualname__}"


def class_of(name: str) -> type | None:
    """The class of that name in one of the ROOMS, None where there is none; imports nothing."""
    module, _, path = name.partition(":")
    if module.split(".")[0] != "tiering" or module.split(".")[1:2] not in [[r] for r in ROOMS]:
        return None
    found: Any = sys.modules.get(module)
    for part in path.split("."):
        found = vars(found).get(part) if isinstance(found, type | ModuleType) else None
    return found if isinstance(found, type) and class_name(found) == name else None


def is_ours(kind: type) -> bool:
    """True if the class is one of the ROOMS and can be found there by its name."""
    return class_of(class_name(kind)) is kind


def is_record(kind: type) -> bool:
    """True for a NamedTuple of ours."""
    return kind.__bases__ == (tuple,) and hasattr(kind, "_fields") and is_ours(kind)


def is_plain(kind: type) -> bool:
    """True for a class of ours with all its state in attributes: no base keeps any of its own."""
    foreign = {f"{b.__module__}.{b.__qualname__}" for b in kind.__mro__ if not is_ours(b)}
    return is_ours(kind) and foreign <= _STATELESS


def attributes(value: object) -> dict[str, Any]:
    """Attributes of an object, those in slots too."""
    state: Any = object.__getstate__(value)
    own, slots = state if isinstance(state, tuple) else (state, None)
    return {**(own or {}), **(slots or {})}


def _unknown(value: object, path: str) -> CheckpointError:
    kind = type(value)
    what = f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins.")
    return CheckpointError(f"{path}: cannot be saved: a checkpoint holds no {what}")
