import numpy as np
import pytest

from tests.engine.avx512 import needs_avx512
from tests.engine.machines import NO_SWEEPS, flat_memory
from tiering.engine.folios import ACCESSED, GRANULE, IDLE, SHARED, SLOW, UNTOUCHED, YOUNG, Memory
from tiering.engine.touch import BLOCK, Rates, scratch
from tiering.sources.pte_walk import AS_INTENDED, AS_POSTED, TWO_WINDOWS, walk_granule

FLAGS = (SLOW, ACCESSED, IDLE, YOUNG, UNTOUCHED, SHARED)


def many_rates(share: list[float]) -> Rates:
    """One mm, one phase; row r gets share[r] touches an access."""
    one, zero = np.ones(1, np.int64), np.zeros(1, np.int64)
    rows = len(share)
    return Rates(
        np.array(share), np.zeros(rows), np.zeros(rows), zero, zero, one * rows, zero, one,
        np.zeros(1), np.full(1, np.inf), NO_SWEEPS,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("before", "touched", "after", "useful"),
    [
        (SLOW, False, SLOW | IDLE, True),
        (SLOW, True, SLOW | IDLE | YOUNG, True),
        (SLOW | IDLE, False, SLOW | IDLE, False),
        (SLOW | IDLE, True, SLOW | IDLE | YOUNG, True),
        (SLOW | IDLE | ACCESSED, False, SLOW | IDLE | YOUNG, True),
        (SLOW | IDLE | YOUNG, False, SLOW | IDLE | YOUNG, True),
        (0, False, 0, False),
        (0, True, ACCESSED, False),
        (UNTOUCHED, False, UNTOUCHED, False),
        (UNTOUCHED, True, ACCESSED, False),
        (IDLE | YOUNG | ACCESSED, True, IDLE | YOUNG | ACCESSED, False),
    ],
)
def test_flags_of_one_pte(before: int, touched: bool, after: int, useful: bool) -> None:
    memory, out = flat_memory(1), np.zeros(GRANULE, np.uint32)
    kept = 0x100
    memory.folio[0] = kept | before
    rates = many_rates([1e9 if touched else 0.0])
    assert walk_granule(memory, rates, scratch(), 0, 1.0, out, 0) == useful
    assert memory.folio[0] == kept | after


@pytest.mark.parametrize(
    ("before", "touched", "after", "useful"),
    [
        (SLOW, False, SLOW | IDLE, False),
        (SLOW, True, SLOW | YOUNG, True),
        (SLOW | IDLE, True, SLOW | YOUNG, False),
        (SLOW | YOUNG, True, SLOW | YOUNG, True),
        (SLOW | YOUNG, False, SLOW | YOUNG | IDLE, False),
        (SLOW | IDLE | ACCESSED, False, SLOW | YOUNG, False),
        (SLOW | UNTOUCHED, True, SLOW | YOUNG, True),
        (0, True, ACCESSED, False),
        (IDLE | ACCESSED, False, IDLE | ACCESSED, False),
    ],
)
def test_flags_of_one_pte_where_two_windows_are_asked_for(
    before: int, touched: bool, after: int, useful: bool
) -> None:
    memory, out = flat_memory(1), np.zeros(GRANULE, np.uint32)
    kept = 0x100
    memory.folio[0] = kept | before
    rates = many_rates([1e9 if touched else 0.0])
    assert walk_granule(memory, rates, scratch(), 0, 1.0, out, 0, TWO_WINDOWS, 0) == useful
    assert memory.folio[0] == kept | after


@pytest.mark.parametrize("test", [AS_INTENDED, AS_POSTED, TWO_WINDOWS])
def test_a_shared_folio_is_left_as_it_is_where_shared_ones_are_skipped(test: int) -> None:
    memory, out = flat_memory(2), np.zeros(GRANULE, np.uint32)
    memory.folio[:2] |= np.uint32(ACCESSED)
    memory.folio[1] |= np.uint32(SHARED)
    still = many_rates([0.0])
    assert walk_granule(memory, still, scratch(), 0, 1.0, out, 0, test, SHARED) == 1
    assert memory.folio[1] == 0x100 | SLOW | SHARED | ACCESSED
    assert walk_granule(memory, still, scratch(), 0, 1.0, out, 0, test, 0) == 1 + (
        test == AS_POSTED
    )


def random_memory(random: np.random.Generator, nr: int, rows: int) -> Memory:
    """One granule with random classes, nodes and flags."""
    memory = flat_memory(nr, seed=int(random.integers(1 << 30)))
    memory.rows[0] = rows
    words = random.integers(0, rows, nr).astype(np.uint32)
    for flag in FLAGS:
        words |= np.uint32(flag) * (random.random(nr) < random.random()).astype(np.uint32)
    memory.folio[:nr] = words
    return memory


@needs_avx512
def test_vector_and_portable_code_walk_alike() -> None:
    """Thousands of walks; folios that were not touched keep what was latched before."""
    random, passes = np.random.default_rng(5), 0
    outs = np.zeros((2, GRANULE + 9), np.uint32)
    for trial in range(800):
        nr = GRANULE if trial % 4 == 0 else int(random.integers(1, 2 * BLOCK))
        rows = int(random.integers(1, 80)) if trial % 8 == 0 else 1 + trial % 64
        first = random_memory(random, nr, rows)
        second = first._replace(
            folio=first.folio.copy(), looks=first.looks.copy(), last=first.last.copy()
        )
        rates = many_rates((10.0 ** random.uniform(-7, 1, rows)).tolist())
        tau, rules = 0.0, (trial % 3, SHARED * (trial // 3 % 2))
        for _ in range(4):
            tau += float(random.choice([0.0, 0.01, 1.0, 30.0]))
            n = walk_granule(first, rates, scratch(vector=True), 0, tau, outs[0], 3, *rules)
            assert n == walk_granule(
                second, rates, scratch(vector=False), 0, tau, outs[1], 3, *rules
            )
            assert np.array_equal(outs[0][3:n], outs[1][3:n])
            assert np.array_equal(first.folio, second.folio)
            passes += 1
    assert passes > 3000
