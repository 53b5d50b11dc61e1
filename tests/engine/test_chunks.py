import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tiering.engine.chunks import (
    DENSE,
    END,
    FIRST,
    GRANULE_OF,
    STAMP,
    WAITING,
    WORD,
    WORD_END,
    Chunks,
    chunks,
    consume,
    expand,
    push,
    room_needed,
    with_room,
    without,
)
from tiering.engine.folios import GRANULE
from tiering.engine.reports import in_runs


def u32(*numbers: int) -> np.ndarray:
    return np.array(numbers, np.uint32)


def add(queue: Chunks, folios: np.ndarray, stamp: int) -> Chunks:
    found = in_runs(folios, stamp)
    queue = with_room(queue, *room_needed(found, folios.size))
    push(queue, found, folios.size)
    return queue


def take(queue: Chunks, nr: int) -> list[tuple[int, int]]:
    """(folio, stamp) of up to `nr` candidates."""
    taken: list[tuple[int, int]] = []
    at, out = queue.at, np.zeros(GRANULE + 16, np.uint32)
    while len(taken) < nr and at[FIRST] < at[END]:
        granule, _, stamp, _ = queue.head[at[FIRST]].tolist()
        some = min(expand(queue, granule, nr - len(taken), out), nr - len(taken))
        taken += [(folio, stamp) for folio in out[:some].tolist()]
        consume(queue, granule, out, some)
    return taken


def test_three_candidates_of_two_granules_make_two_chunks() -> None:
    queue = add(chunks(4, 100), u32(5, 7, GRANULE + 1), 11)
    assert queue.head[:2].tolist() == [[0, 2, 11, 2], [1, 1, 11, 1]]
    assert queue.words[:3].tolist() == [5, 7, 1]
    assert queue.at[WAITING] == 3
    assert take(queue, 9) == [(5, 11), (7, 11), (GRANULE + 1, 11)]
    assert queue.at[WAITING] == 0
    assert queue.at[FIRST] == queue.at[END]


def test_a_candidate_that_is_not_in_order_begins_a_chunk() -> None:
    folios = u32(7, 5, 5, 6)
    assert room_needed(in_runs(folios), 4) == (3, 4)
    queue = add(chunks(4, 100), folios, 0)
    assert [folio for folio, _ in take(queue, 9)] == [7, 5, 5, 6]


@pytest.mark.parametrize(
    ("nr", "words"), [(DENSE - 1, 511), (DENSE, 512), (DENSE + 1, 512), (8192, 512)]
)
def test_more_than_512_candidates_of_a_granule_are_a_bitmap(nr: int, words: int) -> None:
    folios = np.arange(GRANULE, GRANULE + nr, dtype=np.uint32)
    assert room_needed(in_runs(folios), nr) == (1, words)
    queue = add(chunks(4, 1024), folios, 3)
    assert queue.at[WORD_END] == words
    assert take(queue, nr + 1) == [(folio, 3) for folio in folios.tolist()]
    assert queue.at[WORD] == words


def test_a_bitmap_has_the_first_and_the_last_folio_of_the_granule() -> None:
    folios = np.concatenate([u32(0), np.arange(100, 100 + DENSE, dtype=np.uint32), u32(8191)])
    queue = add(chunks(4, 1024), folios, 0)
    assert [folio for folio, _ in take(queue, 9999)] == folios.tolist()


def test_words_are_cleared_where_a_bitmap_was_before() -> None:
    queue = add(chunks(2, 1024), np.arange(2 * 8192, dtype=np.uint32), 0)
    take(queue, 99_999)
    folios = np.arange(0, 2 * (DENSE + 1), 2, dtype=np.uint32)
    queue = add(queue, folios, 0)
    assert (queue.words.size, queue.at[WORD_END]) == (1024, 512), "packed, not grown"
    assert [folio for folio, _ in take(queue, 9999)] == folios.tolist()


def test_a_queue_that_is_half_empty_is_packed_and_one_that_is_full_grows() -> None:
    queue = add(chunks(4, 8), u32(1, 2, 3, 4, 5, 6), 0)
    take(queue, 5)
    packed = with_room(queue, 1, 3)
    assert (packed.words.size, packed.at[WORD], packed.at[WORD_END]) == (18, 0, 6)
    assert take(packed, 9) == [(6, 0)], "the place inside the first chunk stays"
    queue = add(chunks(8, 64), u32(*range(60)), 0)
    take(queue, 99)
    packed = with_room(queue, 1, 10)
    assert (packed.words.size, packed.at[FIRST], packed.at[WORD_END]) == (64, 0, 0)
    assert with_room(packed, 1, 10) is packed


def test_a_used_up_chunk_does_not_stay_at_the_head() -> None:
    """Else the oldest candidate would seem as old as one that is gone."""
    for nr in (3, DENSE + 3):
        queue = add(chunks(4, 2048), np.arange(nr, dtype=np.uint32), 10)
        queue = add(queue, u32(GRANULE), 20)
        take(queue, nr)
        assert queue.head[queue.at[FIRST]].tolist() == [1, 1, 20, 1]


RUNS = st.tuples(st.integers(0, 3), st.integers(0, 8191), st.integers(1, 1200), st.integers(1, 7))


@st.composite
def batches(draw: st.DrawFn) -> list[tuple[np.ndarray, int]]:
    """Batches of candidates with how many are taken after each."""
    made = []
    for _ in range(draw(st.integers(1, 6))):
        parts = [
            granule * GRANULE + np.arange(first, min(first + nr * step, GRANULE), step)
            for granule, first, nr, step in draw(st.lists(RUNS, min_size=1, max_size=4))
        ]
        made.append((np.concatenate(parts).astype(np.uint32), draw(st.integers(0, 3000))))
    return made


@pytest.mark.parametrize("gone", [[0], [1], [2], [0, 1], [0, 2], [0, 1, 2]])
@pytest.mark.parametrize("taken", [0, 2])
def test_chunks_that_are_taken_out_leave_the_others_as_they_were(
    gone: list[int], taken: int
) -> None:
    """A bitmap between two lists; of the first a part may have been taken already."""
    parts = [u32(3, 5, 9), np.arange(GRANULE, GRANULE + DENSE + 5, dtype=np.uint32), u32(2, 7)]
    queue, left = chunks(1, 1), list[list[tuple[int, int]]]()
    for stamp, folios in enumerate(parts):
        queue = add(queue, folios, stamp)
        left.append([(int(folio), stamp) for folio in folios])
    assert take(queue, taken) == left[0][:taken]
    left[0] = left[0][taken:]
    without(queue, np.isin(np.arange(3), gone))
    rest = [one for k, part in enumerate(left) if k not in gone for one in part]
    assert queue.at[WAITING] == len(rest)
    queue = add(queue, u32(1), 9)
    assert take(queue, 9999) == [*rest, (1, 9)]


@pytest.mark.compiled  # too slow without
@settings(max_examples=150, deadline=None)
@given(batches())
def test_the_queue_is_a_plain_list(given_batches: list[tuple[np.ndarray, int]]) -> None:
    queue, plain = chunks(1, 1), list[tuple[int, int]]()
    for stamp, (folios, nr) in enumerate(given_batches):
        queue = add(queue, folios, stamp)
        plain += [(int(folio), stamp) for folio in folios]
        assert queue.at[WAITING] == len(plain)
        assert take(queue, nr) == plain[:nr]
        plain = plain[nr:]
        assert queue.at[WAITING] == len(plain)
        if plain:
            head = queue.head[queue.at[FIRST]]
            assert (head[GRANULE_OF], head[STAMP]) == (plain[0][0] // GRANULE, plain[0][1])
    assert take(queue, 10**6) == plain
