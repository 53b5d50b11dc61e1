"""DAMOS by hand: the feedback, scores, quotas, tuners, and which regions a scheme takes."""

import itertools
from typing import Any

import numpy as np
import pytest

from tests.engine.machines import Layout, flat_rates, laid_out
from tiering.engine.damon_region import (
    ACCESSES_BP,
    AGE,
    BP,
    END,
    NR_ACCESSES,
    SLOW_SIDE,
    START,
    VIRTUAL,
    Regions,
    count_frames,
    regions,
    size_of,
    split_at,
)
from tiering.engine.damos_quota import adjust_quota, effective_quota, goal_score
from tiering.engine.damos_score import MOST_SCORE, fits, hot_score
from tiering.engine.damos_state import (
    CHARGED,
    ESZ,
    ESZ_BP,
    MIN_SCORE,
    NR_TRIED,
    QT_EXCEEDS,
    REGION,
    SIZE,
    SKIP_TO,
    SZ_TRIED,
    TOTAL_NS,
    TOTAL_SZ,
    Scheme,
    scheme,
    scheme_rules,
)
from tiering.engine.damos_walk import begin, end_region, next_part, next_region, select
from tiering.engine.feed_loop import MOST, next_input
from tiering.engine.folios import ACCESSED, GRANULE, IDLE
from tiering.engine.scheme_table import ACTIVE, NR_FIELDS, apply_later, is_due, wait_us
from tiering.engine.touch import scratch
from tiering.promotion.damos_knobs import DamosHot

MIB = 2**20
MS = 1_000_000


def made(hot: bool = True, **knobs: Any) -> Scheme:
    return scheme(scheme_rules(hot, DamosHot()._replace(**knobs)._asdict()))


def virtual(*rows: tuple[int, int, int]) -> Regions:
    """Neighbouring regions of one target: pages, accesses, age of each."""
    one, start = regions(20, 100, VIRTUAL), 0
    for at, (pages, accesses, age) in enumerate(rows):
        row = one.row[at]
        row[START], row[END] = start, start + pages
        row[NR_ACCESSES], row[ACCESSES_BP], row[AGE] = accesses, accesses * BP, age
        start += pages
    one.nr[0] = len(rows)
    return one


@pytest.mark.parametrize(
    ("last", "score", "wanted"),
    [
        (100_000, 10_000, 100_000), (100_000, 5_000, 150_000), (100_000, 0, 200_000),
        (100_000, 15_000, 50_000), (100_000, 20_000, 10_000), (10_000, 15_000, 10_000),
        (MOST, 0, MOST),
    ],
)  # fmt: skip
def test_the_next_input_makes_up_for_what_is_missing(last: int, score: int, wanted: int) -> None:
    assert next_input(np.int64(last), np.int64(score)) == wanted


@pytest.mark.parametrize(
    ("accesses", "age", "wanted"),
    [
        (20, 0, 74),  # frequency 100, age 50: 75 of 100
        (0, 0, 24),  # 0 and 50: 25
        (0, 10, 23),  # 1 s is one bit of 32: 48, so 24
        (10, 10, 49),  # 50 and 51: 50
        (20, 640, 79),  # 64 s are seven bits: 60, so 80
    ],
)
def test_heat_is_the_mean_of_frequency_and_age(accesses: int, age: int, wanted: int) -> None:
    assert hot_score(accesses, np.int64(age), 100_000, 20, 100, 100) == wanted


def test_scores_stay_between_their_ends() -> None:
    values = [
        hot_score(n, np.int64(age), 100_000, 20, a, b)
        for n in (0, 1, 20) for age in (0, 1, 2**40) for a, b in ((100, 100), (0, 100), (0, 0))
    ]  # fmt: skip
    assert min(values) >= 0
    assert max(values) <= MOST_SCORE


def test_a_region_fits_by_size_accesses_and_age() -> None:
    one = virtual((10, 3, 5))
    assert fits(one, 0, made(min_nr_accesses=3, max_nr_accesses=3, min_age=5, max_age=5).rules)
    assert not fits(one, 0, made(min_nr_accesses=4).rules)
    assert not fits(one, 0, made(max_age=4).rules)
    assert not fits(one, 0, made(min_size_kib=44).rules)
    assert fits(one, 0, made(min_size_kib=40).rules)


def test_goals_are_parts_of_the_node() -> None:
    used = made(goal="node_mem_used_bp", goal_bp=9970).rules
    free = made(goal="node_mem_free_bp", goal_bp=50).rules
    assert goal_score(used, 1000, 1000) == 0
    assert goal_score(used, 0, 1000) == 10_000 * 10_000 // 9970
    assert goal_score(free, 5, 1000) == 10_000
    assert goal_score(free, 500, 1000) == 1_000_000


def test_consist_doubles_from_a_byte_while_nothing_is_reached() -> None:
    """So it takes twelve windows until a page fits, and 28 to come to 200 MiB."""
    one = made(goal="node_mem_used_bp", goal_bp=9970, quota_mib=200)
    quotas = []
    for _ in range(30):
        effective_quota(one.rules, one.state, 1000, 1000)
        quotas.append(int(one.state[ESZ]))
    assert quotas[:3] == [2, 4, 8]
    assert quotas.index(4096) == 11
    assert quotas[26] == 2**27
    assert quotas[27:] == [200 * MIB] * 3


def test_consist_falls_to_a_byte_where_twice_the_goal_is_reached() -> None:
    one = made(False, goal="node_mem_free_bp", goal_bp=50, quota_mib=200)
    one.state[ESZ_BP] = 200 * MIB * BP
    effective_quota(one.rules, one.state, 500, 1000)
    assert one.state[ESZ] == 1


def test_temporal_is_all_or_what_was_posted_as_nothing() -> None:
    for reached, wanted in (("as_posted", 0), ("as_intended", 1)):
        knobs: dict[str, Any] = {
            "goal": "node_mem_used_bp",
            "goal_bp": 5000,
            "goal_tuner": "temporal",
        }
        one = made(quota_mib=10, goal_reached=reached, **knobs)
        effective_quota(one.rules, one.state, 900, 1000)
        assert one.state[ESZ] == 10 * MIB
        effective_quota(one.rules, one.state, 500, 1000)
        assert one.state[ESZ] == wanted, "0 counts as no quota"


def test_time_is_turned_into_bytes_by_the_throughput_so_far() -> None:
    one = made(quota_ms=10)
    effective_quota(one.rules, one.state, 0, 1000)
    assert one.state[ESZ] == 10 * 4096 * 1024
    one.state[TOTAL_SZ], one.state[TOTAL_NS] = 50 * MIB, 100 * MS
    effective_quota(one.rules, one.state, 0, 1000)
    assert one.state[ESZ] == 5 * MIB


def adjust(one: Scheme, found: Regions, now_ms: int) -> None:
    adjust_quota(
        found, one.rules, one.state, one.histogram, now_ms * MS, 100_000, 20, np.int64(0), 1000
    )


def test_the_least_score_is_that_with_which_the_quota_is_used_up() -> None:
    one = made(quota_mib=1)
    found = virtual((200, 20, 0), (200, 10, 0), (200, 1, 0))
    adjust(one, found, 0)
    scores = [hot_score(n, np.int64(0), 100_000, 20, 100, 100) for n in (20, 10, 1)]
    assert scores[0] > scores[1] > scores[2]
    assert one.state[MIN_SCORE] == scores[1], "256 pages: 200 of the first, the rest of the second"


def test_a_window_that_used_up_its_quota_is_counted() -> None:
    one, found = made(quota_mib=1), virtual((10, 1, 0))
    adjust(one, found, 0)
    one.state[CHARGED] = MIB
    adjust(one, found, 999)
    assert one.state[QT_EXCEEDS] == 0
    adjust(one, found, 1000)
    assert one.state[QT_EXCEEDS] == 1
    assert one.state[CHARGED] == 0
    assert one.state[TOTAL_SZ] == MIB


def applied(one: Scheme, found: Regions) -> list[tuple[int, int]]:
    """(start, pages charged) of the regions that the scheme acts on."""
    begin(found, one.state)
    taken = []
    while next_region(found, one, 100_000, 20):
        taken.append((int(found.row[one.state[REGION], START]), int(one.state[SIZE]) // 4096))
        end_region(found, one.state)
    return taken


def test_the_region_that_exceeds_the_quota_is_cut_and_goes_on_in_the_next_window() -> None:
    one, found = made(quota_mib=1), virtual((200, 5, 3), (200, 5, 3), (200, 5, 3))
    adjust(one, found, 0)
    assert applied(one, found) == [(0, 200), (200, 56)]
    assert found.row[:4, AGE].tolist() == [0, 0, 3, 3]
    assert one.state[SKIP_TO] == 256
    adjust(one, found, 1000)
    one.state[MIN_SCORE] = 0
    assert applied(one, found) == [(257, 143), (400, 113)], "as posted a page is lost at the border"


def test_a_quota_below_a_page_tries_and_moves_nothing() -> None:
    one, found = made(quota_mib=1), virtual((200, 5, 3), (200, 5, 3))
    adjust(one, found, 0)
    one.state[ESZ] = 4095
    one.state[MIN_SCORE] = 0
    assert applied(one, found) == []
    assert one.state[NR_TRIED] == 2
    assert one.state[SZ_TRIED] == 0
    assert found.row[:2, AGE].tolist() == [3, 3]


def test_frames_of_a_side_are_counted_by_granule_and_cut_where_they_are() -> None:
    memory = laid_out([Layout(GRANULE), Layout(100, nid=0), Layout(GRANULE)], [1 << 20, 1 << 20])
    one = regions(10, memory.nr.size, SLOW_SIDE)
    count_frames(memory, one)
    assert one.frames.tolist() == [0, GRANULE, GRANULE, 2 * GRANULE]
    one.row[0, END], one.nr[0] = 3 * GRANULE, 1
    assert size_of(one, 0) == 2 * GRANULE
    assert split_at(one, 0, 2 * GRANULE + 5)
    assert [size_of(one, i) for i in (0, 1)] == [GRANULE + 5, GRANULE - 5]


def test_the_young_filter_takes_what_is_young_and_makes_it_old() -> None:
    memory = laid_out([Layout(100)], [1 << 20, 1 << 20], sampled=True)
    memory.folio[:100] |= np.uint32(IDLE)
    memory.folio[10:20] |= np.uint32(ACCESSED)
    work, rates = scratch(), flat_rates(0.0)
    for young, wanted in (("allow", list(range(10, 20))), ("none", list(range(100)))):
        rules = made(young=young).rules
        nr, looked = select(memory, rates, work, 0, 0, 100, rules, 1.0)
        assert work.chosen[:nr].tolist() == wanted
        assert looked == 100
    assert not (memory.folio[:100] & np.uint32(ACCESSED)).any()
    assert select(memory, rates, work, 0, 0, 100, made(young="allow").rules, 2.0)[0] == 0


def test_a_folio_that_was_never_marked_idle_is_young() -> None:
    memory = laid_out([Layout(100)], [1 << 20, 1 << 20], sampled=True)
    rules = made(young="allow").rules
    rates, work = flat_rates(0.0), scratch()
    counts = [select(memory, rates, work, 0, 0, 100, rules, tau)[0] for tau in (1.0, 2.0)]
    assert counts == [100, 0]


def test_a_region_is_walked_granule_by_granule() -> None:
    memory = laid_out([Layout(2 * GRANULE)], [1 << 20, 1 << 20])
    one, found = made(), virtual((3 * GRANULE // 2, 5, 0))
    begin(found, one.state)
    assert next_region(found, one, 100_000, 20)
    parts = [next_part(memory, found, one.state) for _ in range(2)]
    assert parts == [(0, 0, GRANULE), (1, 0, GRANULE // 2)]


def test_watermarks_switch_a_scheme_off_and_on_again() -> None:
    table = np.zeros((1, NR_FIELDS), np.int64)
    table[0, :6] = 1, 5000, 500, 400, 50, 1
    parts = (300, 600, 450, 399, 450, 40)
    waits = [int(wait_us(table, np.array([free]), np.array([1000]))) for free in parts]
    assert waits == [0, 5000, 5000, 0, 0, 5000]
    both = np.concatenate([table, np.zeros((1, NR_FIELDS), np.int64)])
    assert wait_us(both, np.array([600]), np.array([1000])) == 0, "one that is always on"


def test_a_scheme_is_due_an_apply_interval_later() -> None:
    table = np.zeros((1, NR_FIELDS), np.int64)
    table[0, ACTIVE] = 1
    apply_later(table, 0, 10, 100_000, 5000)
    assert [is_due(table, n) for n in (29, 30)] == [False, True]
    for earlier, later in itertools.pairwise((0, 1)):
        table[0, ACTIVE] = earlier
        assert not is_due(table, 30)
        table[0, ACTIVE] = later
        assert is_due(table, 30)
