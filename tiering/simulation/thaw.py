"""From the table of a frozen graph (tiering/simulation/freeze.py) back to the objects."""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from tiering.simulation.freeze import CheckpointError, class_of, is_plain, is_record


class Thawed:
    """Every node is made once, so what was shared is shared again.

    Objects are made without their constructors, and only of classes that `freeze` would save;
    names are looked up among what this process has imported, so a file can name no code.
    """

    def __init__(
        self,
        nodes: Sequence[Any],
        models: Sequence[BaseModel],
        read_array: Callable[[str], NDArray[Any]],
    ) -> None:
        """models: of the scenario, in the order of `freeze.models`. read_array: by path.

        Raises CheckpointError, or of a table that `freeze` did not write LookupError, TypeError,
        ValueError, AttributeError or RecursionError.
        """
        self._nodes, self._models, self._read = nodes, models, read_array
        self._made: dict[int, Any] = {}
        self.root = self._value([0])

    def _value(self, value: Any) -> Any:
        if not isinstance(value, list):
            return value
        (at,) = value
        if at not in self._made:
            kind, *parts = self._nodes[at]
            if kind in ("list", "deque", "dict", "object"):  # may hold itself
                self._fill(at, kind, parts)
            else:
                self._made[at] = self._whole(kind, parts)
        return self._made[at]

    def _fill(self, at: int, kind: str, parts: list[Any]) -> None:
        """Make it known first, then its parts."""
        made: Any
        if kind == "object":
            made = self._made[at] = object.__new__(_known(parts[0], is_plain))
            for name, value in parts[1].items():
                object.__setattr__(made, name, self._value(value))
        elif kind == "dict":
            made = self._made[at] = {}
            for key, value in parts[0]:
                made[self._value(key)] = self._value(value)
        else:
            made = self._made[at] = [] if kind == "list" else deque(maxlen=parts[1])
            for value in parts[0]:
                made.append(self._value(value))

    def _whole(self, kind: str, parts: list[Any]) -> Any:
        match kind:
            case "model":
                return self._models[parts[0]]
            case "tuple":
                return tuple(map(self._value, parts[0]))
            case "record":
                return _known(parts[0], is_record)(*map(self._value, parts[1]))
            case "number":
                return np.dtype(parts[0]).type(parts[1])
            case "dtype":
                return self._read(parts[0]).dtype
            case "array":
                array = self._read(parts[0])
                array.flags.writeable = parts[1]
                return array
            case "view":
                return self._view(*parts)
        raise ValueError(f"no such kind: {kind}")

    def _view(
        self, owner: Any, dtype: Any, offset: int, shape: list[int], strides: list[int], w: bool
    ) -> NDArray[Any]:
        memory = self._value(owner)
        memory = memory if memory.flags.c_contiguous else memory.T
        view: NDArray[Any] = np.ndarray(shape, self._value(dtype), memory, offset, strides)
        view.flags.writeable = w
        return view


def _known(name: str, allowed: Callable[[type], bool]) -> Any:
    kind = class_of(name)
    if kind is None or not allowed(kind):
        raise CheckpointError(f"holds {name}, which a checkpoint cannot")
    return kind
