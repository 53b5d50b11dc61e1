import pytest

from tiering.work.pacing import Pace, SpeedError, parse_speed


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_simulated_time_is_due_after_its_share_of_wall_time() -> None:
    clock = Clock()
    pace = Pace(10, clock)
    assert pace.wait_s(2_000_000_000) == pytest.approx(0.2)
    clock.now_s += 0.15
    assert pace.wait_s(2_000_000_000) == pytest.approx(0.05)
    clock.now_s += 1
    assert pace.wait_s(2_000_000_000) == 0


def test_full_speed_never_waits() -> None:
    assert Pace(0, Clock()).wait_s(10**15) == 0


def test_a_new_speed_counts_from_now_and_does_not_catch_up() -> None:
    clock = Clock()
    pace = Pace(1, clock)
    clock.now_s += 30  # a pause
    pace.rebase(5_000_000_000, 100)
    assert pace.wait_s(6_000_000_000) == pytest.approx(0.01)
    pace.rebase(6_000_000_000)
    assert pace.wait_s(7_000_000_000) == pytest.approx(0.01)


@pytest.mark.parametrize("value", [0, "0", 0.01, 1, "10", 100_000])
def test_speeds_in_range_are_taken(value: object) -> None:
    assert parse_speed(value) == float(str(value))


@pytest.mark.parametrize("value", [-1, 0.001, 1e9, "fast", None, float("nan"), [1]])
def test_other_speeds_are_refused_in_a_sentence(value: object) -> None:
    with pytest.raises(SpeedError, match=r"speed = .*: allowed is 0 .* or 0.01 .. 100000"):
        parse_speed(value)
