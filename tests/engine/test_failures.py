import numpy as np
import pytest

from tiering.engine.failures import ATTEMPTS, BAD, GOOD, NR_TALLY, drained, tally


def counted(*attempts: tuple[int, int]) -> tuple[list[int], int]:
    """(tally, share) after so many good and bad attempts."""
    row, share = np.zeros(NR_TALLY, np.int64), np.zeros(2, np.int64)
    for good, bad in attempts:
        tally(row, share, 1, np.int64(good), np.int64(bad))
    assert share[0] == 0, "of another mm"
    return row.tolist(), int(share[1])


def test_nothing_is_said_before_1024_attempts() -> None:
    assert counted((0, 1023)) == ([0, 1023, 0, 0], 0)
    assert counted((0, 1024)) == ([0, 0, 0, 1024], 100)


def test_what_was_decays_to_a_quarter() -> None:
    """256 of 1024 fail: 25 %. Then none: F = 64, S = 192 + 1024, and 64 of 1280 are 5 %."""
    assert counted((768, 256)) == ([0, 0, 768, 256], 25)
    assert counted((768, 256), (1024, 0)) == ([0, 0, 1216, 64], 5)


@pytest.mark.parametrize("step", [1, 7, 512, 5000])
def test_one_call_and_many_say_the_same_of_attempts_that_succeed(step: int) -> None:
    nr = 5000
    row, share = np.zeros(NR_TALLY, np.int64), np.zeros(1, np.int64)
    for first in range(0, nr, step):
        tally(row, share, 0, np.int64(min(step, nr - first)), np.int64(0))
    assert (row[0], share[0]) == (nr % ATTEMPTS, 0)
    assert row[GOOD] == 1024 + 1024 // 4 + 1024 // 16 + 1024 // 64


def test_the_end_of_a_drain_forgets_what_is_left_over() -> None:
    row, share = np.zeros(NR_TALLY, np.int64), np.zeros(1, np.int64)
    tally(row, share, 0, np.int64(10), np.int64(1030))
    drained(row)
    assert row.tolist() == [0, 0, 10, 1014]
    assert row[BAD] * 100 // ATTEMPTS == share[0]
