import pytest

from tiering.cli.measure import Figure, number


@pytest.mark.parametrize(
    ("value", "at_most", "met"),
    [(11.0, False, True), (10.0, False, True), (9.0, False, False), (9.0, True, True),
     (10.0, True, True), (11.0, True, False)],
)  # fmt: skip
def test_a_target_is_met_from_its_own_side(value: float, at_most: bool, met: bool) -> None:
    figure = Figure(value, "x", target=10.0, at_most=at_most)
    assert figure.met is met
    word = "at most 10" if at_most else "10"
    assert figure.verdict == f"target {word}: {'met' if met else 'MISSED'}"


def test_without_a_target_there_is_no_verdict() -> None:
    assert Figure(1.0, "x").met is None
    assert Figure(1.0, "x").verdict == ""


@pytest.mark.parametrize(
    ("value", "text"), [(0.01234, "0.0123"), (7.0, "7"), (123.4, "123"), (92_420.4, "92,420")]
)
def test_numbers_have_digits_that_mean_something(value: float, text: str) -> None:
    assert number(value) == text
