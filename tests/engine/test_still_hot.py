import numpy as np
import pytest

from tiering.engine.folios import (
    AS_IT_IS,
    IDLE,
    LIST_SHIFT,
    NID_SHIFT,
    REFERENCED,
    SLOW,
    YOUNG,
)
from tiering.engine.still_hot import IS_ACTIVE, NOT_ASKED, NOT_IDLE, is_still_hot

BY_LISTS = np.full(2, AS_IT_IS, np.uint8)


@pytest.mark.parametrize(
    ("flags", "hot"),
    [(0, False), (YOUNG, True), (REFERENCED, True), (IDLE | YOUNG, False), (IDLE, False)],
)
def test_not_idle_and_young_or_referenced(flags: int, hot: bool) -> None:
    assert is_still_hot(np.uint32(SLOW | flags), BY_LISTS, NOT_IDLE) == hot
    assert is_still_hot(np.uint32(SLOW | flags), BY_LISTS, NOT_ASKED)


@pytest.mark.parametrize(("youngest", "hot"), [(3, {3, 2}), (0, {0, 3}), (1, {1, 0})])
def test_the_two_youngest_generations_of_its_node_are_active(youngest: int, hot: set[int]) -> None:
    entry = np.array([2, youngest], np.uint8)
    words = [np.uint32(SLOW | 1 << NID_SHIFT | one << LIST_SHIFT) for one in range(4)]
    assert {one for one in range(4) if is_still_hot(words[one], entry, IS_ACTIVE)} == hot


def test_by_lists_the_active_list_is() -> None:
    assert is_still_hot(np.uint32(SLOW | 1 << LIST_SHIFT), BY_LISTS, IS_ACTIVE)
    assert not is_still_hot(np.uint32(SLOW), BY_LISTS, IS_ACTIVE)
