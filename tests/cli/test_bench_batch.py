import re

import pytest

from tiering.cli import bench_batch


def test_runs_an_hour_follow_from_the_cpu_time_of_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    used = iter([0.0, 4.0, 10.0, 23.0])  # 4 s to start; 13 s with 180 more runs
    monkeypatch.setattr(bench_batch, "_children_s", lambda: next(used))
    monkeypatch.setattr(bench_batch, "results", lambda jobs, nr: iter(jobs))
    figure = bench_batch.batch_figure()
    assert figure.value == pytest.approx(2 * 3600 / 0.05)
    assert figure.met is False
    assert "50 ms of CPU time a run" in figure.note


def test_a_small_batch_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("NR_RUNS", 2), ("ROUNDS", 2), ("SIMULATED_S", 1.0)):
        monkeypatch.setattr(bench_batch, name, value)
    figure = bench_batch.batch_figure()
    assert figure.unit == "runs/hour"
    assert re.search(r"[\d,]+ by the clock", figure.note)
