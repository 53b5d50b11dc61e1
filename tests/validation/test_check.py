import pytest

from tiering.validation.check import Check, above, between, within, within_factor


def check(values: list[float]) -> Check:
    return Check("a ratio", "2", "± 0.5", within(2.0, 0.5), values)


def test_the_mean_of_the_seeds_is_what_counts() -> None:
    assert check([1.0, 3.0]).passed
    assert not check([1.0, 1.9]).passed
    assert check([1.0, 3.0]).mean == 2.0


@pytest.mark.parametrize(
    ("holds", "yes", "no"),
    [
        (within(2.0, 0.5), [1.5, 2.5], [1.49, 2.51]),
        (within_factor(0.3, 1.5), [0.21, 0.44], [0.19, 0.46]),
        (between(1.5, 2.4), [1.5, 2.4], [1.49, 2.41]),
        (above(0.0), [1e-9], [0.0, -1.0]),
    ],
)
def test_tolerances_include_their_ends(holds, yes: list[float], no: list[float]) -> None:  # type: ignore[no-untyped-def]
    assert all(map(holds, yes))
    assert not any(map(holds, no))
