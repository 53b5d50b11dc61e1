from collections.abc import Iterator

import pytest

from tests.engine.test_replay_peer import required_here
from tiering.cli import bench_replay
from tiering.cli.bench_replay import REPLAYS
from tiering.cli.benchmarks import BENCHMARKS
from tiering.cli.measure import best


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A trace of 30,000 accesses, measured anew in each test and forgotten after it."""
    monkeypatch.setattr(bench_replay, "NR_PAGES", 2_000)
    monkeypatch.setattr(bench_replay, "NR_ACCESSES", 30_000)
    monkeypatch.setattr(bench_replay, "FRAMES", 200)
    measured = (bench_replay._table, bench_replay._trace, bench_replay._scatter_rate)
    for function in measured:
        function.cache_clear()
    yield
    for function in measured:
        function.cache_clear()


@pytest.mark.parametrize("name", REPLAYS)
def test_every_figure_tells_its_share_of_the_random_access_limit(name: str) -> None:
    figure = BENCHMARKS[name]()
    assert figure.value > 0
    assert figure.unit == "M accesses/s"
    assert "of the random access limit" in figure.ratio


@pytest.mark.skipif(not required_here(), reason="libcachesim has no wheel for this machine")
def test_lru_is_measured_against_libcachesim_on_the_same_hits() -> None:
    note = BENCHMARKS["replay_lru_dense"]().note
    assert "x libcachesim" in note
    assert "the same hits" in note


def test_without_libcachesim_the_figure_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_replay, "installed", lambda: False)
    assert BENCHMARKS["replay_lru_dense"]().note.endswith("libcachesim is not installed")


def test_the_best_rate_leaves_the_first_call_out() -> None:
    calls: list[int] = []

    def work() -> float:
        calls.append(1)
        return 1e18 if len(calls) == 1 else 0.0

    assert best(work, 3) == 0.0
    assert len(calls) == 4
