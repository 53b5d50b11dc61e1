"""The benchmarks of single loops run and count what they did."""

import pytest

from tiering.cli import bench_visit
from tiering.cli.benchmarks import BENCHMARKS

REWRITES = 1e9


@pytest.fixture
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_visit, "REPEATS", 1)
    monkeypatch.setattr(bench_visit, "rewrite_rate", lambda: REWRITES)


@pytest.mark.usefixtures("brief")
@pytest.mark.parametrize("vector", [True, False])
def test_a_visit_pass_is_measured_against_the_limit(vector: bool) -> None:
    figure = bench_visit._visit("zipf", 64, vector)
    assert figure.value > 0.0
    assert figure.ratio == f"{figure.value * 1e6 / REWRITES:.3f} of the rewrite limit"
    assert ("portable" in figure.note) or vector


@pytest.mark.parametrize("name", ["migrate", "solve", "encode"])
def test_a_loop_by_itself_is_measured(name: str) -> None:
    assert BENCHMARKS[name]().value > 0.0
