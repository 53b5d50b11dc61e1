import json
import sys
from collections import deque
from typing import Any

import numpy as np
import pytest

from tests.simulation.scenarios import tiny
from tiering.hotness.last_report import LastReport
from tiering.model.metrics import RowShape, row_dtype
from tiering.simulation.freeze import CheckpointError, Frozen, models
from tiering.simulation.thaw import Thawed
from tiering.sources.pte_state import ScannedMm
from tiering.sources.source import Step

SCENARIO = tiny()


def again(root: Any) -> Any:
    """`root` after a way through text, with arrays copied as they lie in memory."""
    frozen = Frozen(root, SCENARIO, "root")
    copies = {name: array.copy(order="A") for name, array in frozen.arrays.items()}
    nodes = json.loads(json.dumps(frozen.nodes))
    return Thawed(nodes, models(SCENARIO), lambda name: copies[name]).root


def held(**attributes: Any) -> LastReport:
    """An object of the project with these attributes."""
    made = LastReport()
    vars(made).update(attributes)
    return made


@pytest.mark.parametrize(
    "value",
    [
        None, True, 7, -(2**80), 0.1, -0.0, float("inf"), "µ", [], [1, [2.0]], (), (1, ("a",)),
        {"a": 1, 2: [3], (1, 2): None}, deque([1, 2], maxlen=3), ScannedMm("app", ((0, 3, 1.5),)),
        np.float64(0.1), np.int64(-5), np.uint64(2**64 - 1), np.bool_(True), np.float32(0.1),
    ],
    ids=repr,
)  # fmt: skip
def test_values_keep_their_type_and_order(value: Any) -> None:
    back = again([value])[0]
    assert type(back) is type(value)
    assert repr(back) == repr(value)


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6, dtype=np.uint32).reshape(2, 3),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.array(3.5),
        np.zeros((0, 4), np.int64),
        np.array([True, False]),
        np.ones(2, row_dtype(RowShape(("DRAM", "CXL"), ("app",), ()))),
    ],
    ids=lambda array: f"{array.dtype.kind}{array.shape}",
)
def test_arrays_keep_type_shape_and_memory_order(array: np.ndarray) -> None:
    back = again([array])[0]
    assert (back.dtype, back.shape, back.strides) == (array.dtype, array.shape, array.strides)
    assert np.array_equal(back, array)


def test_row_types_and_models_of_the_scenario_come_back() -> None:
    dtype = row_dtype(RowShape(("DRAM",), ("a", "b"), ("kmmscand",)))
    assert again([dtype])[0] == dtype
    assert again([SCENARIO.nodes[1], SCENARIO]) == [SCENARIO.nodes[1], SCENARIO]


def test_what_is_shared_stays_shared_and_what_is_equal_stays_apart() -> None:
    array, same = np.zeros(3), np.zeros(3)
    first, second, both, other = again([held(a=array), held(a=array), [array], same])
    assert first.a is second.a is both[0]
    assert other is not first.a


def test_cycles_stay_cycles() -> None:
    ring = held()
    ring.me, ring.inside = ring, {"all": [(ring,)]}  # type: ignore[attr-defined]
    back = again(ring)
    assert back.me is back
    assert back.inside["all"][0][0] is back


def test_views_look_at_the_memory_of_their_owner_again() -> None:
    owner = np.arange(12, dtype=np.uint64).reshape(3, 4)
    hidden = np.arange(5.0)
    views: list[np.ndarray] = [
        owner[1:, ::2],
        owner[::-1],
        owner.view(np.uint16)[0, :3],
        hidden[1:3],
        hidden[2:],
    ]
    back, *seen = again([owner, *views])
    for view, old in zip(seen, views, strict=True):
        assert (view.shape, view.strides, view.dtype) == (old.shape, old.strides, old.dtype)
        assert np.array_equal(view, old)
    back[:] = 77
    assert (seen[0] == 77).all()
    seen[3][1] = -1
    assert seen[4][0] == -1
    fortran, column = again([whole := np.asfortranarray(np.eye(3)), whole[:, 1]])
    column[:] = 9
    assert (fortran[:, 1] == 9).all()


def test_read_only_arrays_stay_read_only() -> None:
    array = np.zeros(2)
    array.flags.writeable = False
    assert not again([array])[0].flags.writeable


def test_attributes_in_slots_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    module = "tiering.hotness.last_report"
    slotted: Any = type("Slotted", (LastReport,), {"__slots__": ("_kept",), "__module__": module})
    monkeypatch.setattr(sys.modules[module], "Slotted", slotted, raising=False)
    thing = slotted()
    thing._kept, thing.own = 5, 6
    back = again(thing)
    assert (type(back), back._kept, back.own) == (slotted, 5, 6)


class Stranger:
    """A class that is none of the engine's."""


class StrangeStep(Step):
    """A record that may hold more than its fields."""


@pytest.mark.parametrize(
    "value, name",
    [
        ({1, 2}, "set"),
        (b"x", "bytes"),
        (len, "builtin_function_or_method"),
        (LastReport, "type"),
        (1j, "complex"),
        (iter([]), "list_iterator"),
        (np.random.default_rng(1), "numpy.random._generator.Generator"),
        (np.array([None]), "numpy.ndarray"),
        (np.ma.zeros(2), "numpy.ma.MaskedArray"),
        (np.datetime64("2024-12-01"), "numpy.datetime64"),
        (tiny(), "Scenario"),
        (Stranger(), "Stranger"),
        (StrangeStep(0, 0, 0, False), "StrangeStep"),
        (type("Own", (dict,), {})(), "Own"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_unknown_kind_is_refused_by_the_path_of_its_attribute(value: Any, name: str) -> None:
    with pytest.raises(CheckpointError) as caught:
        again(held(parts=[{"a": (0, value)}]))
    assert str(caught.value).startswith("root.parts[0]['a'][1]: cannot be saved: ")
    assert name in str(caught.value)


def test_a_class_of_ours_with_state_outside_its_attributes_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    module = "tiering.hotness.last_report"
    listing: Any = type("Listing", (list,), {"__module__": module})
    monkeypatch.setattr(sys.modules[module], "Listing", listing, raising=False)
    with pytest.raises(CheckpointError, match=r"root: cannot be saved.*Listing"):
        again(listing())


def test_memory_that_numpy_does_not_know_to_be_shared_is_refused() -> None:
    buffer = bytearray(64)
    halves = [np.frombuffer(buffer, np.uint8, 40), np.frombuffer(buffer, np.uint8, 40, 20)]
    with pytest.raises(CheckpointError, match="shares memory with root"):
        again(halves)
    scattered = np.zeros((2, 3, 4)).transpose(1, 0, 2).copy(order="K")
    with pytest.raises(CheckpointError, match="neither C nor F"):
        again([scattered])


def test_a_tuple_that_holds_itself_is_refused() -> None:
    inner: list[Any] = []
    outer = (inner,)
    inner.append(outer)
    with pytest.raises(CheckpointError, match="a tuple that holds itself"):
        again(outer)
