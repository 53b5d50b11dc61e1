"""Identical hit counts to libCacheSim, an independent simulator, on the same trace."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from packaging.requirements import Requirement

from tests.house.tree import ROOT
from tiering.cli.peer import POLICIES, peer_replay, write_trace
from tiering.engine.irm import irm_trace, zipf_law
from tiering.engine.replay import replay, replay_static

NR_PAGES, NR_ACCESSES = 100_000, 2_000_000


def required_here() -> bool:
    """What tests/requirements.txt says: libcachesim has no wheels for other machines."""
    lines = (ROOT / "tests" / "requirements.txt").read_text().splitlines()
    (line,) = [line for line in lines if line.startswith("libcachesim")]
    marker = Requirement(line).marker
    return marker is None or marker.evaluate()


pytestmark = [
    pytest.mark.compiled,
    pytest.mark.skipif(not required_here(), reason="libcachesim has no wheel for this machine"),
]


@pytest.fixture(scope="module")
def trace() -> NDArray[np.uint32]:
    """Zipf, and a loop over more pages than any cache holds every 100,000 accesses."""
    zipf = irm_trace(zipf_law(NR_PAGES, 0.9), NR_ACCESSES, 17)
    loop = np.arange(25_000, dtype=np.uint32) * np.uint32(3)
    for begin in range(50_000, NR_ACCESSES, 100_000):
        zipf[begin : begin + loop.size] = loop
    return zipf


@pytest.fixture(scope="module")
def recorded(trace: NDArray[np.uint32], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path: Path = tmp_path_factory.mktemp("peer") / "trace.bin"
    write_trace(trace, path)
    return path


@pytest.mark.parametrize("frames", [1, 100, 5_000, 20_000, 60_000])
@pytest.mark.parametrize("policy", POLICIES)
def test_hits_are_those_of_libcachesim(
    policy: str, frames: int, trace: NDArray[np.uint32], recorded: Path
) -> None:
    hits, _ = peer_replay(policy, recorded, NR_ACCESSES, frames)
    assert replay(policy, trace, NR_PAGES, frames).hits == hits
    assert hits > 0


def test_one_page_more_or_another_policy_is_noticed(
    trace: NDArray[np.uint32], recorded: Path
) -> None:
    hits, _ = peer_replay("lru", recorded, NR_ACCESSES, 5_000)
    assert replay("lru", trace, NR_PAGES, 5_001).hits != hits
    assert replay("fifo", trace, NR_PAGES, 5_000).hits != hits


LAW = zipf_law(NR_PAGES, 0.99)
ONLINE = ["LFU", "ARC", "Sieve", "S3FIFO", "TwoQ"]


@pytest.fixture(scope="module")
def irm() -> NDArray[np.uint32]:
    """Zipf and nothing else: the independent reference model."""
    return irm_trace(LAW, NR_ACCESSES, 23)


@pytest.fixture(scope="module")
def irm_recorded(irm: NDArray[np.uint32], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path: Path = tmp_path_factory.mktemp("peer") / "irm.bin"
    write_trace(irm, path)
    return path


@pytest.mark.parametrize("frames", [5_000, 25_000])
@pytest.mark.parametrize("policy", POLICIES)
def test_hits_on_an_irm_stream_are_those_of_libcachesim(
    policy: str, frames: int, irm: NDArray[np.uint32], irm_recorded: Path
) -> None:
    hits, _ = peer_replay(policy, irm_recorded, NR_ACCESSES, frames)
    assert replay(policy, irm, NR_PAGES, frames).hits == hits


@pytest.mark.parametrize("frames", [5_000, 25_000])
def test_the_static_optimum_hits_as_libcachesim_does_that_admits_its_pages_alone(
    frames: int, irm: NDArray[np.uint32], tmp_path: Path
) -> None:
    """Pages of higher rank have lower numbers. Its cache begins empty, the static one full."""
    admitted = irm[irm < frames]
    write_trace(admitted, tmp_path / "admitted.bin")
    hits, _ = peer_replay("lru", tmp_path / "admitted.bin", admitted.size, frames)
    assert replay_static(irm, LAW, frames).hits == hits + np.unique(admitted).size


@pytest.mark.parametrize("name", ONLINE)
def test_no_other_policy_of_libcachesim_beats_the_static_optimum(
    name: str, irm: NDArray[np.uint32], irm_recorded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(POLICIES, name, name)
    hits, _ = peer_replay(name, irm_recorded, NR_ACCESSES, 5_000)
    assert 0 < hits < replay_static(irm, LAW, 5_000).hits
