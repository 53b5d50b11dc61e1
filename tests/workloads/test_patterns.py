from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tiering.model.knobs import knob_specs
from tiering.workloads.hot_set import HotSet
from tiering.workloads.pattern import Region
from tiering.workloads.table import PATTERNS
from tiering.workloads.uniform import Uniform
from tiering.workloads.zipf import Zipf

STATIC = {name: pattern for name, pattern in PATTERNS.items() if not pattern.from_recording}
KNOBS: list[tuple[str, Any]] = [
    ("uniform", Uniform()),
    ("hot_set", HotSet()),
    ("hot_set", HotSet(0.0, 90.0)),
    ("hot_set", HotSet(100.0, 90.0)),
    ("hot_set", HotSet(10.0, 0.0)),
    ("hot_set", HotSet(10.0, 100.0, "contiguous")),
    ("hot_set", HotSet(0.001, 100.0, "contiguous")),
    ("zipf", Zipf()),
    ("zipf", Zipf(0.0)),
    ("zipf", Zipf(1.0)),
    ("zipf", Zipf(4.0)),
]


def build(name: str, knobs: Any, nr_folios: int, seed: int = 1) -> Region:
    builder = PATTERNS[name].build
    assert builder is not None
    return builder(knobs, nr_folios, seed)


def check(region: Region, nr_folios: int) -> None:
    """What the simulation relies on in every static pattern."""
    assert region.nr_folios == nr_folios == region.classes.size
    assert region.classes.dtype == np.uint8
    assert region.share.dtype == np.float64
    assert region.share.shape[0] == 1
    assert region.share.shape[1] <= 256
    assert region.row_stride == 0
    assert (region.share >= 0).all()
    folios = np.bincount(region.classes, minlength=region.share.shape[1])
    assert folios.size == region.share.shape[1], "no class without a row"
    assert float((folios * region.share[0]).sum()) == pytest.approx(1.0, rel=1e-12)


@pytest.mark.parametrize("nr_folios", [1, 2, 3, 64, 8192, 100_000])
@pytest.mark.parametrize(("name", "knobs"), KNOBS)
def test_shares_of_every_pattern_sum_to_one(name: str, knobs: Any, nr_folios: int) -> None:
    check(build(name, knobs, nr_folios), nr_folios)


@settings(max_examples=80, deadline=None)
@given(
    st.integers(1, 20_000),
    st.integers(0, 2**64 - 1),
    st.one_of(
        st.builds(lambda s: ("zipf", Zipf(s)), st.floats(0, 4)),
        st.builds(
            lambda size, part, layout: ("hot_set", HotSet(size, part, layout)),
            st.floats(0, 100),
            st.floats(0, 100),
            st.sampled_from(["scattered", "contiguous"]),
        ),
    ),
)
def test_shares_sum_to_one_for_any_knobs(nr: int, seed: int, chosen: tuple[str, Any]) -> None:
    check(build(*chosen, nr, seed), nr)


@pytest.mark.parametrize("name", STATIC)
def test_the_same_seed_gives_the_same_bytes(name: str) -> None:
    one, two = (build(name, STATIC[name].knobs(), 5000, 7) for _ in range(2))
    assert one.classes.tobytes() == two.classes.tobytes()
    assert one.share.tobytes() == two.share.tobytes()


def test_a_hot_set_is_as_large_and_as_hot_as_its_knobs_say() -> None:
    region = build("hot_set", HotSet(20.0, 70.0), 10_000)
    hot = region.classes == 0
    assert hot.sum() == 2000
    assert region.share[0, 0] * 2000 == pytest.approx(0.7)
    assert region.share[0, 1] * 8000 == pytest.approx(0.3)
    assert 300 < hot[:2000].sum() < 500, "scattered: 400 of 2,000 are expected anywhere"


def test_a_contiguous_hot_set_lies_at_the_begin() -> None:
    region = build("hot_set", HotSet(20.0, 70.0, "contiguous"), 100)
    assert region.classes.tolist() == [0] * 20 + [1] * 80


def test_a_hot_set_is_never_rounded_to_nothing() -> None:
    region = build("hot_set", HotSet(0.001, 90.0), 64)
    assert (region.classes == 0).sum() == 1
    assert region.share[0, 0] == pytest.approx(0.9)


@pytest.mark.parametrize("knobs", [HotSet(0.0, 90.0), HotSet(100.0, 5.0)])
def test_without_hot_or_cold_folios_all_are_alike(knobs: HotSet) -> None:
    assert build("hot_set", knobs, 64).share.tolist() == [[1 / 64]]


@pytest.mark.parametrize("name", PATTERNS)
def test_every_knob_is_declared_with_its_meaning(name: str) -> None:
    specs = knob_specs(name, PATTERNS[name].knobs)
    assert all(spec.knob.meaning.endswith(".") for spec in specs.values())
    assert all(spec.default is not None for spec in specs.values())
    assert PATTERNS[name].meaning
    assert PATTERNS[name].from_recording == (PATTERNS[name].build is None)
