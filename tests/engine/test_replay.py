import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.naive.replacement import POLICIES as NAIVE
from tiering.engine.replay import POLICIES, Replayed, replay, replay_static


def pages(*ids: int) -> NDArray[np.uint32]:
    return np.array(ids, np.uint32)


def test_lru_evicts_the_page_touched_longest_ago() -> None:
    # 0 1 | 0 hits | 2 evicts 1 | 1 evicts 0 | 2 hits | 0 evicts 1
    assert replay("lru", pages(0, 1, 0, 2, 1, 2, 0), 3, 2) == Replayed(7, 2, 5)


def test_fifo_evicts_the_page_that_came_first_whatever_was_touched() -> None:
    # 0 1 | 0 hits | 2 evicts 0 | 1 hits | 2 hits | 0 evicts 1
    assert replay("fifo", pages(0, 1, 0, 2, 1, 2, 0), 3, 2) == Replayed(7, 3, 4)


def test_clock_passes_over_a_page_touched_since_it_arrived() -> None:
    # 0 1 | 0 hits | 2 evicts 1 | 0 hits | 3: 0 has a second chance, 2 leaves | 0 hits | 2 evicts 3
    assert replay("clock", pages(0, 1, 0, 2, 0, 3, 0, 2), 4, 2) == Replayed(8, 3, 5)


def test_a_page_rises_when_it_is_seen_again_among_the_last_seen() -> None:
    # 0 seen | 0 rises | 0 hits | 1 seen | 2 seen, 0 forgotten | 0 hits all the same
    assert replay("lru_second_sight", pages(0, 0, 0, 1, 2, 0), 3, 2) == Replayed(6, 2, 1)
    # 0 seen | 1 seen | 2 seen, 0 forgotten | 0 seen anew | 0 rises
    assert replay("lru_second_sight", pages(0, 1, 2, 0, 0), 3, 2) == Replayed(5, 0, 1)
    # 0 seen | 0 rises | 1 seen | 1 rises, 0 leaves | 0 seen
    assert replay("lru_second_sight", pages(0, 0, 1, 1, 0), 2, 1) == Replayed(5, 0, 2)


@pytest.mark.parametrize("policy", ["lru", "fifo", "clock"])
def test_a_loop_one_page_too_long_never_hits(policy: str) -> None:
    trace = pages(*list(range(5)) * 9)
    assert replay(policy, trace, 5, 4) == Replayed(45, 0, 45)
    assert replay(policy, trace, 5, 5) == Replayed(45, 40, 5)


def test_the_static_optimum_keeps_the_heaviest_pages() -> None:
    weight = np.array([0.1, 0.4, 0.2, 0.3])
    assert replay_static(pages(0, 1, 1, 2, 3, 3), weight, 2) == Replayed(6, 4, 0)


def test_of_pages_of_equal_weight_the_first_are_kept() -> None:
    assert replay_static(pages(0, 1, 2, 2), np.ones(3), 2) == Replayed(4, 2, 0)


@pytest.mark.parametrize("policy", POLICIES)
def test_more_frames_than_pages_are_as_good_as_one_each(policy: str) -> None:
    trace = pages(0, 1, 0, 1, 2, 0)
    assert replay(policy, trace, 3, 10**12) == replay(policy, trace, 3, 3)


@pytest.mark.parametrize("policy", POLICIES)
def test_an_empty_trace_has_no_hits_and_no_share_to_divide(policy: str) -> None:
    empty = replay(policy, pages(), 0, 1)
    assert empty == Replayed(0, 0, 0)
    assert empty.hit_share == 0.0


def test_the_hit_share_is_hits_per_access() -> None:
    assert replay("lru", pages(0, 0, 0, 1), 2, 1).hit_share == 0.5


@pytest.mark.parametrize("policy", POLICIES)
@given(trace=st.lists(st.integers(0, 5), max_size=80), frames=st.integers(1, 6))
def test_every_policy_counts_what_its_obvious_twin_counts(
    policy: str, trace: list[int], frames: int
) -> None:
    counted = replay(policy, pages(*trace), 6, frames)
    assert counted[1:] == NAIVE[policy](trace, frames)


def test_gaps_longer_than_a_word_of_the_bitmap_are_crossed() -> None:
    """Page 0 waits, the oldest, while page 1 is touched across several words; then both leave."""
    trace = [0, *[1] * 300, 2, 3, 0, 1, 2]
    for frames in (1, 2, 3):
        assert replay("lru", pages(*trace), 4, frames)[1:] == NAIVE["lru"](trace, frames)


@pytest.mark.compiled  # 4 x 20,000 accesses
@pytest.mark.parametrize("policy", POLICIES)
def test_long_traces_count_as_the_twin_does_too(policy: str) -> None:
    trace = (np.random.default_rng(5).pareto(0.7, 20_000) * 10).astype(np.int64) % 400
    counted = replay(policy, trace.astype(np.uint32), 400, 60)
    assert counted[1:] == NAIVE[policy](trace.tolist(), 60)
    assert 0.2 < counted.hit_share < 0.9


@pytest.mark.parametrize(
    ("policy", "trace", "nr_pages", "frames", "sentence"),
    [
        ("mru", pages(0), 1, 1, "policy 'mru': known are lru, lru_second_sight, fifo, clock"),
        ("lru", pages(0, 7), 7, 1, "trace: page id 7 is not below the 7 pages"),
        ("lru", pages(0), 1, 0, "frames 0: at least 1 is needed"),
        ("lru", pages(0), 2**32, 2**32, "trace of 1 on 4294967296 frames: 4294967295 at most"),
        ("lru", np.array([0]), 1, 1, "trace of int64, 1 dimensions: one of uint32 is needed"),
    ],
)
def test_what_cannot_be_replayed_is_refused_in_one_sentence(
    policy: str, trace: NDArray[np.uint32], nr_pages: int, frames: int, sentence: str
) -> None:
    with pytest.raises(ValueError, match="^" + sentence):
        replay(policy, trace, nr_pages, frames)
