import numpy as np
import pytest

from tiering.engine.page_walk import page_walk_ns, share_of_hottest

FLAT = np.array([1_000_000]), np.array([1e-6])
ONE = np.ones(1, np.int64)


def test_a_flat_pattern_misses_the_tlb_by_footprint() -> None:
    assert 1 - share_of_hottest(*FLAT, 3072) == pytest.approx(1 - 3072 / 1_000_000)


def test_w_is_m_tlb_times_cached_plus_m_pt_times_memory() -> None:
    m_tlb = 1 - 3072 / 1_000_000
    m_pt = (1 - 2**20 / 8 / 1_000_000) / m_tlb
    assert page_walk_ns(*FLAT, ONE, 3072, 0, 2**20, 10.0, 50.0) == pytest.approx(
        m_tlb * (10 + m_pt * 50)
    )


def test_a_footprint_inside_the_tlb_costs_nothing() -> None:
    assert page_walk_ns(np.array([3000]), np.array([1.0]), ONE, 3072, 0, 2**20, 10.0, 50.0) == 0.0


def test_page_tables_inside_the_cache_cost_no_memory() -> None:
    assert page_walk_ns(*FLAT, ONE, 0, 0, 2**30, 10.0, 50.0) == pytest.approx(10.0)


def test_skew_helps_since_the_hottest_entries_are_held() -> None:
    skewed = np.array([1_000, 999_000]), np.array([0.9 / 1_000, 0.1 / 999_000])
    assert share_of_hottest(*skewed, 1_000) == pytest.approx(0.9)
    assert page_walk_ns(*skewed, np.ones(2, np.int64), 3072, 0, 2**20, 10.0, 50.0) < page_walk_ns(
        *FLAT, ONE, 3072, 0, 2**20, 10.0, 50.0
    )


def test_untouched_memory_costs_nothing() -> None:
    assert page_walk_ns(np.array([1_000]), np.array([0.0]), ONE, 1, 0, 8, 10.0, 50.0) == 0.0
