import json
import subprocess
import sys
from typing import Any

import pytest

from tests.house.tree import ROOT
from tests.simulation.scenarios import TINY, tiny
from tests.simulation.test_load import problem
from tiering.engine.folios import GRANULE
from tiering.simulation import build, host
from tiering.simulation.build import build as built
from tiering.simulation.describe import recordings
from tiering.simulation.footprint import Footprint, footprint
from tiering.simulation.load import ScenarioError, load_file, load_text
from tiering.simulation.scenario import Scenario

VMA = "processes.0.vmas.0"
LARGE = {"nodes.0.capacity_mib": 4096, "nodes.1.capacity_mib": 2**21, "until_s": 0.5}
# Not ru_maxrss, which remembers the size of the process that started this one.
MEASURE = """
import json, pathlib, re, sys
from tiering.simulation.load import load_text
from tiering.simulation.loop import Simulation
simulation = Simulation(load_text(sys.argv[1], "large", json.loads(sys.argv[2])), 1)
while not simulation.done:
    simulation.next_block()
print(re.search(r"VmHWM:\\s+(\\d+) kB", pathlib.Path("/proc/self/status").read_text())[1])
"""
WARM = "from tiering.simulation.warm import warm_up; warm_up()"


def large(**changes: Any) -> dict[str, Any]:
    """Overrides of the tiny machine, with room for anything; v_x: x of its VMA."""
    own = {key.replace("v_", f"{VMA}.").replace("__", "."): value for key, value in changes.items()}
    return LARGE | own


def estimate(scenario: Scenario) -> Footprint:
    return footprint(scenario, recordings(scenario))


def python(*arguments: str) -> str:
    command = [sys.executable, "-W", "error", "-c", *arguments]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return done.stdout


def measured_peak(overrides: dict[str, Any]) -> int:
    return int(python(MEASURE, TINY, json.dumps(overrides))) * 1024


@pytest.fixture(scope="module")
def warm() -> None:
    """Loops are in the cache: compiling them takes more memory than a small run."""
    python(WARM)


MEASURED = {
    "8 GiB of one mm": large(v_size_mib=8192.0, v_pattern="zipf"),
    "64 GiB with stamps": large(
        v_size_mib=65536.0, v_pattern="zipf", reclaim__demotion_enabled=True
    ),
    "64 GiB with records of four bytes": large(
        v_size_mib=65536.0, v_pattern="zipf", preset="chmu_pghot_precise"
    ),
    "32 GiB on a hotness unit that is always on": large(
        v_size_mib=32_768.0, preset="chmu", chmu__epoch_type="always_on"
    ),
    "10,000 processes of 26 MiB": large(v_size_mib=26.0, processes__0__count=10_000),
    "64 GiB in pieces of 1 MiB": large(v_size_mib=65536.0, v_split_mib=1.0),
}


@pytest.mark.compiled
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", MEASURED)
def test_the_estimate_is_not_below_the_measured_peak_and_not_far_above(
    name: str, warm: None
) -> None:
    overrides = MEASURED[name]
    needed = estimate(load_text(TINY, "large", overrides)).nr_bytes
    peak = measured_peak(overrides)
    if peak > needed:  # some loop of this run was not in the cache yet
        peak = measured_peak(overrides)
    words = f"{name}: {needed / 2**20:.0f} MiB estimated, {peak / 2**20:.0f} MiB measured"
    assert peak <= needed <= 1.5 * peak, words


def test_a_host_of_1_TiB_in_1000_mms_needs_less_than_4_GB() -> None:
    overrides = large(v_size_mib=1024.0, v_pattern="zipf", processes__0__count=1000)
    needed = estimate(load_text(TINY, "large", overrides))
    assert needed.nr_folios == 2**28 * 1000 // 1024
    assert 2**30 < needed.nr_bytes < 4e9


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {f"{VMA}.split_mib": 33.0},
        {f"{VMA}.split_mib": 10.25, f"{VMA}.order": 4},
        {f"{VMA}.order": 9, f"{VMA}.split_mib": 6.0},
        {f"{VMA}.size_mib": 0.001, "processes.0.count": 3},
        {f"{VMA}.pattern": "growing", f"{VMA}.split_mib": 50.0},
    ],
)
def test_folios_and_granules_are_counted_exactly(changes: dict[str, Any]) -> None:
    scenario = load_text(TINY, "tiny", changes)
    needed, world = estimate(scenario), built(scenario, 1)
    assert needed.nr_granules * GRANULE == world.memory.folio.size
    assert needed.nr_folios == world.nr_folios.sum()


def test_a_recording_is_counted_once_it_is_read() -> None:
    scenario = load_file("redis-hot10", {"processes.0.count": 2})
    needed, world = estimate(scenario), built(scenario, 1)
    assert needed.nr_granules * GRANULE == world.memory.folio.size
    assert needed.nr_folios == world.nr_folios.sum()
    assert needed.largest.key.startswith("processes.0.recording = 'recordings/redis-hot10.damo'")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({f"{VMA}.size_mib": 2.0**26}, f"{VMA}.size_mib = 6.71089e+07: takes "),
        (
            {f"{VMA}.size_mib": 65536.0, f"{VMA}.split_mib": 0.004},
            f"{VMA}.split_mib = 0.004: takes ",
        ),
        (
            {f"{VMA}.size_mib": 26.0, "processes.0.count": 100_000},
            f"{VMA}.size_mib = 26 times processes.0.count = 100000: takes ",
        ),
    ],
)
def test_more_than_the_host_can_hold_is_refused_before_anything_is_built(
    changes: dict[str, Any], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(build, "process_workload")
    monkeypatch.setattr(host, "available_bytes", lambda: 2 * 2**30)
    message = problem(**{"nodes.1.capacity_mib": 2**26, **changes})
    assert message.startswith(f"tiny: {words}")
    assert " of host memory that a run of " in message
    assert message.endswith(" folios needs; 2.0 GiB are available")


def test_knobs_that_do_not_go_together_are_told_from_the_model_too() -> None:
    with pytest.raises(ScenarioError, match=r"^tiny: processes\.0\.vmas\.0 \(process app, VMA"):
        estimate(
            tiny(
                **{
                    f"{VMA}.pattern": "phases",
                    f"{VMA}.phases.nr_sets": 8,
                    f"{VMA}.phases.hot_size_pct": 50.0,
                }
            )
        )
