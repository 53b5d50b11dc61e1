"""Every source is measured, whatever joins it."""

import pytest

from tiering.cli import bench_sources
from tiering.cli.bench_sources import BY_SOURCE
from tiering.cli.benchmarks import BENCHMARKS
from tiering.sources.table import SOURCES

REPORTING = {"pte_scan", "hw_sample", "chmu", "lru_gen_walk", "hint_fault", "page_cache_access"}


@pytest.fixture(autouse=True)
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("REPEATS", 1), ("SIMULATED_S", 2), ("MIB", 64)):
        monkeypatch.setattr(bench_sources, name, value)


def test_every_source_of_the_table_has_its_benchmark() -> None:
    assert list(BY_SOURCE) == [f"source_{name}" for name in SOURCES]
    assert set(BY_SOURCE) <= set(BENCHMARKS)


@pytest.mark.parametrize("name", SOURCES)
def test_a_source_by_itself_is_measured(name: str) -> None:
    figure = BY_SOURCE[f"source_{name}"]()
    assert figure.unit == "M folios/s"
    assert "simulated s / s" in figure.note
    assert figure.value > 0.0 or name not in REPORTING


def test_who_reads_accessed_bits_is_measured_by_the_folios_it_looked_at() -> None:
    scan, device = (bench_sources._run(source, 2) for source in ("pte_scan", "chmu"))
    assert scan.looked % 16_384 == 0 < scan.looked
    assert scan.reported <= scan.looked
    assert (device.looked, device.watched) == (0, 19 * 16_384), "an epoch every 100 ms"
