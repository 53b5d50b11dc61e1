from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tiering.workloads.merge import MAX_PHASES, merge
from tiering.workloads.pattern import PatternError, Region


def region(name: str, share: list[float], accesses: list[float]) -> Region:
    """One folio and one row, with a share for every phase."""
    return Region(
        name, 1, np.zeros(1, np.uint8), np.array(share)[:, None], phase_accesses=np.array(accesses)
    )


def shares(merged: Region) -> list[float]:
    return list(merged.share[:, 0])


def test_static_regions_stay_static() -> None:
    still = region("still", [0.5], [])
    workload = merge([still, still])
    assert workload.phase_accesses.size == 0
    assert workload.regions == (still, still)


def test_a_static_region_repeats_its_share_in_every_phase() -> None:
    workload = merge([region("still", [0.5], []), region("turns", [0.4, 0.1], [10.0, 20.0])])
    assert workload.phase_accesses.tolist() == [10.0, 20.0]
    assert [shares(r) for r in workload.regions] == [[0.5, 0.5], [0.4, 0.1]]
    assert all(r.phase_accesses is workload.phase_accesses for r in workload.regions)


def test_equal_tables_are_kept_to_the_bit() -> None:
    odd = [0.1, 0.7, 1 / 3]
    one, two = region("a", [1.0, 2.0, 3.0], odd), region("b", [4.0, 5.0, 6.0], odd)
    workload = merge([one, two])
    assert workload.phase_accesses.tolist() == odd
    assert [shares(r) for r in workload.regions] == [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]


def test_a_lap_that_divides_the_longest_is_repeated_on_the_union_of_borders() -> None:
    """Borders 0 10 of 30 and 0 5 of 15: together 0 5 10 15 20."""
    long, short = region("long", [1.0, 2.0], [10.0, 20.0]), region("short", [3.0, 4.0], [5.0, 10.0])
    workload = merge([short, long])
    assert workload.phase_accesses.tolist() == [5.0, 5.0, 5.0, 5.0, 10.0]
    assert shares(workload.regions[0]) == [3.0, 4.0, 4.0, 3.0, 4.0]
    assert shares(workload.regions[1]) == [1.0, 1.0, 2.0, 2.0, 2.0]


def test_borders_that_differ_by_rounding_are_one() -> None:
    third = 1e9 / 3
    workload = merge(
        [region("a", [1.0, 2.0, 3.0], [third] * 3), region("b", [4.0, 5.0], [third, 2 * third])]
    )
    assert workload.phase_accesses.tolist() == [third] * 3
    assert shares(workload.regions[1]) == [4.0, 5.0, 5.0]


def test_a_region_of_one_phase_is_static() -> None:
    workload = merge([region("one", [0.5], [7.0]), region("two", [1.0, 2.0], [10.0, 10.0])])
    assert workload.phase_accesses.tolist() == [10.0, 10.0]
    assert shares(workload.regions[0]) == [0.5, 0.5]


def test_laps_without_a_common_one_are_refused() -> None:
    with pytest.raises(PatternError) as caught:
        merge([region("b", [1.0, 2.0], [1e6, 1e6]), region("a", [1.0, 2.0], [1e6, 2e6])])
    assert str(caught.value) == (
        "VMA a has a lap of 3_000_000 accesses and VMA b one of 2_000_000: the longest lap should "
        "be a whole number of each of the others"
    )


@pytest.mark.parametrize("nr_laps", [2**20, 2**12])
def test_a_table_of_too_many_phases_is_refused(nr_laps: int) -> None:
    fast, slow = region("fast", [1.0, 2.0], [1.0, 1.0]), region("slow", [1.0, 2.0], [nr_laps] * 2)
    with pytest.raises(PatternError, match=f"slow and fast have .* at most {MAX_PHASES}"):
        merge([slow, fast])


def test_tables_that_are_small_alone_and_large_together_are_refused() -> None:
    length = np.full(3000, 10.0)
    length[0], length[-1] = 5.0, 15.0  # every border lies between two of the other's
    regions = [
        region("a", [1.0] * 3000, [10.0] * 3000),
        region("b", [1.0] * 3000, length.tolist()),
    ]
    with pytest.raises(PatternError, match="VMAs a and b have 5999 phases"):
        merge(regions)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(1, 50), min_size=2, max_size=6), st.integers(1, 5), st.data())
def test_merged_regions_have_their_share_at_every_access(
    one: list[int], laps: int, data: st.DataObject
) -> None:
    """Lap of b = lap of a times `laps`; each access in turn is looked up in both ways."""
    whole = sum(one) * laps
    cuts = data.draw(st.sets(st.integers(1, whole - 1), min_size=1, max_size=6))
    other = [b - a for a, b in pairwise([0, *sorted(cuts), whole])]
    regions = [region("a", [*map(float, range(len(one)))], [*map(float, one)])]
    regions += [region("b", [*map(float, range(len(other)))], [*map(float, other)])]
    workload = merge(regions)
    lengths = workload.phase_accesses.astype(int)
    assert lengths.sum() == whole
    assert (lengths > 0).all()
    for merged, source in zip(workload.regions, (one, other), strict=True):
        wanted = np.resize(np.repeat(np.arange(len(source)), source), whole)
        assert np.repeat(merged.share[:, 0], lengths).tolist() == wanted.tolist()


def test_what_never_begins_again_stays_in_its_last_phase() -> None:
    """Without a warning about infinite work: warnings are errors here."""
    grows, turns = region("grows", [1.0, 2.0], [10.0, np.inf]), region("s", [3.0], [])
    workload = merge([grows, turns])
    assert workload.phase_accesses.tolist() == [10.0, np.inf]
    assert shares(workload.regions[0]) == [1.0, 2.0]


def test_regions_that_never_begin_again_share_their_borders() -> None:
    """Borders 0 10 and 0 5 20, the last phases endless."""
    one = region("one", [1.0, 2.0], [10.0, np.inf])
    two = region("two", [3.0, 4.0, 5.0], [5.0, 15.0, np.inf])
    workload = merge([one, two, region("still", [6.0], [])])
    assert workload.phase_accesses.tolist() == [5.0, 5.0, 10.0, np.inf]
    assert [shares(r) for r in workload.regions] == [
        [1.0, 1.0, 2.0, 2.0], [3.0, 4.0, 4.0, 5.0], [6.0] * 4,
    ]  # fmt: skip


def test_one_region_that_never_begins_again_is_kept_as_it_is() -> None:
    workload = merge([region("one", [1.0, 2.0], [10.0, np.inf])])
    assert workload.phase_accesses.tolist() == [10.0, np.inf]
    assert shares(workload.regions[0]) == [1.0, 2.0]


def test_phases_that_repeat_and_phases_that_do_not_are_refused_together() -> None:
    with pytest.raises(PatternError) as caught:
        merge([region("one", [1.0, 2.0], [10.0, np.inf]), region("two", [1.0, 2.0], [5.0, 5.0])])
    assert str(caught.value) == (
        "VMA one never begins again, VMA two does every 10 accesses: put them into processes of "
        "their own"
    )


def test_what_is_populated_follows_the_common_phases() -> None:
    grows = replace(region("one", [1.0, 2.0], [10.0, np.inf]), populated=np.array([3, 7]))
    workload = merge([grows, region("two", [1.0, 2.0], [5.0, np.inf])])
    assert workload.regions[0].populated.tolist() == [3, 3, 7]
    assert workload.regions[1].populated.size == 0
