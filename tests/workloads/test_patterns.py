from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tiering.model.knobs import knob_specs
from tiering.workloads.gaussian import Gaussian
from tiering.workloads.hot_set import HotSet
from tiering.workloads.moving_hot_set import MovingHotSet, segments
from tiering.workloads.pattern import PatternError, Region
from tiering.workloads.phases import Phases
from tiering.workloads.table import PATTERNS
from tiering.workloads.uniform import Uniform
from tiering.workloads.zipf import Zipf

SYNTHETIC = {name: pattern for name, pattern in PATTERNS.items() if not pattern.from_recording}
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
    ("gaussian", Gaussian()),
    ("gaussian", Gaussian(0.0, 0.01)),
    ("gaussian", Gaussian(100.0, 1000.0)),
    ("gaussian", Gaussian(30.0, 5.0, "scattered")),
]
PHASED: list[tuple[str, Any]] = [
    ("moving_hot_set", MovingHotSet()),
    ("moving_hot_set", MovingHotSet(98.4375, 0.0, 98.4375)),
    ("moving_hot_set", MovingHotSet(1.5625, 100.0, 1.5625, 7.0, "scattered")),
    ("phases", Phases()),
    ("phases", Phases(8, 12.5, 100.0)),
    ("phases", Phases(3, 0.001, 0.0, 7.0, "contiguous")),
]


def build(name: str, knobs: Any, nr_folios: int, seed: int = 1) -> Region:
    builder = PATTERNS[name].build
    assert builder is not None
    return builder(knobs, nr_folios, seed)


def check(region: Region, nr_folios: int) -> None:
    """What the simulation relies on in every pattern without a recording."""
    assert region.nr_folios == nr_folios == region.classes.size
    assert region.classes.dtype == np.uint8
    assert region.share.dtype == region.phase_accesses.dtype == np.float64
    assert region.share.shape[0] == max(1, region.phase_accesses.size)
    assert region.share.shape[1] <= 64, "a vector pass looks up 64 rows"
    assert region.row_stride == 0
    assert (region.share >= 0).all()
    assert (region.phase_accesses > 0).all()
    folios = np.bincount(region.classes, minlength=region.share.shape[1])
    assert folios.size == region.share.shape[1], "no class without a row"
    assert (folios > 0).all(), "no row without a folio"
    in_phase = (region.share * folios).sum(axis=1).tolist()
    assert in_phase == pytest.approx([1.0] * len(in_phase), rel=1e-12)


@pytest.mark.parametrize("nr_folios", [1, 2, 3, 64, 8192, 100_000])
@pytest.mark.parametrize(("name", "knobs"), KNOBS)
def test_shares_of_every_pattern_sum_to_one(name: str, knobs: Any, nr_folios: int) -> None:
    check(build(name, knobs, nr_folios), nr_folios)


@pytest.mark.parametrize("nr_folios", [64, 65, 8192, 100_000])
@pytest.mark.parametrize(("name", "knobs"), PHASED)
def test_shares_sum_to_one_in_every_phase(name: str, knobs: Any, nr_folios: int) -> None:
    region = build(name, knobs, nr_folios)
    assert region.phase_accesses.size > 1
    check(region, nr_folios)


LAYOUTS = st.sampled_from(["scattered", "contiguous"])
PERCENT = st.floats(0, 100)
SOME_KNOBS = st.one_of(
    st.tuples(st.just("zipf"), st.builds(Zipf, st.floats(0, 4))),
    st.tuples(st.just("hot_set"), st.builds(HotSet, PERCENT, PERCENT, LAYOUTS)),
    st.tuples(st.just("gaussian"), st.builds(Gaussian, PERCENT, st.floats(0.01, 1000), LAYOUTS)),
    st.tuples(
        st.just("phases"),
        st.builds(
            Phases, st.integers(2, 8), st.floats(0.001, 50), PERCENT, st.floats(1, 1e18), LAYOUTS
        ),
    ),
    st.integers(2, 64).flatmap(
        lambda nr: st.tuples(
            st.just("moving_hot_set"),
            st.builds(
                MovingHotSet,
                st.integers(1, nr - 1).map(lambda size: size * 100 / nr),
                PERCENT,
                st.integers(1, nr - 1).map(lambda step: step * 100 / nr),
                st.floats(1, 1e18),
                LAYOUTS,
            ),
        )
    ),
)


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 20_000), st.integers(0, 2**64 - 1), SOME_KNOBS)
def test_any_knobs_give_shares_that_sum_to_one_or_a_sentence(
    nr: int, seed: int, chosen: tuple[str, Any]
) -> None:
    name, knobs = chosen
    if fits(knobs, nr):
        check(build(name, knobs, nr, seed), nr)
    else:
        with pytest.raises(PatternError, match=rf"^{name}\."):
            build(name, knobs, nr, seed)


def fits(knobs: Any, nr_folios: int) -> bool:
    """Whether the knobs go together and the VMA has folios enough for them."""
    if isinstance(knobs, Phases):
        return knobs.nr_sets * knobs.hot_size_pct <= 100 and knobs.nr_sets <= nr_folios
    if isinstance(knobs, MovingHotSet):
        return segments(knobs.hot_size_pct, knobs.step_pct)[0] <= nr_folios
    return True


@pytest.mark.parametrize("name", SYNTHETIC)
def test_the_same_seed_gives_the_same_bytes(name: str) -> None:
    one, two = (build(name, SYNTHETIC[name].knobs(), 5000, 7) for _ in range(2))
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
