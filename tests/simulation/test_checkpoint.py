import json
import random
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.house.tree import ROOT
from tests.simulation.scenarios import TINY, tiny
from tiering.simulation import archive, checkpoint
from tiering.simulation.catalogue import SCENARIOS, scenario_names
from tiering.simulation.checkpoint import CheckpointError, check_target, restore, save
from tiering.simulation.freeze import Frozen
from tiering.simulation.load import ScenarioError, load_file, load_text
from tiering.simulation.loop import Simulation
from tiering.simulation.scenario import Scenario
from tiering.sources.pte_state import MM

NS_PER_S = 1_000_000_000
MOST_MIB = 2048  # larger scenarios are cut down to this
MOST_COUNT = 12
PERIOD = "pte_scan.scan_period_ms"


class Told:
    """What a run said: everything that must repeat."""

    def __init__(self) -> None:
        self.rows = b""
        self.events: list[dict[str, Any]] = []

    def listen(self, simulation: Simulation, until_s: float | None = None) -> Simulation:
        """Simulate until the end, or until until_s, and take down what is said."""
        end_ns = simulation.until_ns if until_s is None else round(until_s * NS_PER_S)
        while not simulation.done and simulation.time_ns < end_ns:
            block = simulation.next_block()
            self.rows += block.rows
            self.events += block.events
        return simulation


def cut_down(name: str, **changes: Any) -> Scenario:
    """A shipped scenario, smaller in proportion if it is large, with a row every 100 ms."""
    scenario = load_file(name)
    counts = [min(process.count, MOST_COUNT) for process in scenario.processes]
    sizes = [sum(vma.size_mib for vma in process.vmas) for process in scenario.processes]
    whole = sum(p.count * size for p, size in zip(scenario.processes, sizes, strict=True))
    kept = sum(count * size for count, size in zip(counts, sizes, strict=True))
    part = min(1.0, MOST_MIB / kept) if kept else 1.0
    overrides: dict[str, Any] = {"sample_ms": 100}
    if part < 1 or kept < whole:
        for n, node in enumerate(scenario.nodes):
            overrides[f"nodes.{n}.capacity_mib"] = int(node.capacity_mib * part * kept / whole) + 1
        for p, process in enumerate(scenario.processes):
            overrides[f"processes.{p}.count"] = counts[p]
            for v, vma in enumerate(process.vmas):
                unit = 32.0 if vma.split_mib else 2.0  # granules, or any whole folios
                for key, mib in (("size_mib", vma.size_mib), ("split_mib", vma.split_mib)):
                    units = max(mib * part // unit, 1.0) if mib else 0.0
                    overrides[f"processes.{p}.vmas.{v}.{key}"] = units * unit
    return load_file(name, {**overrides, **changes})


@pytest.mark.parametrize("owner", ["scanner", "thread"])
@pytest.mark.parametrize("name", scenario_names())
def test_every_scenario_stopped_three_times_says_the_same_bytes(
    name: str, owner: str, tmp_path: Path
) -> None:
    """0.3 and 2.7 s lie inside a block; at 1 s a knob was changed a moment ago.

    The one that goes on without a stop is the one that was built.
    """
    file = tmp_path / "run.checkpoint"
    whole, parts = Told(), Told()
    scenario = cut_down(name, **{"until_s": 4.0, "migration.owner": owner})
    first = Simulation(scenario, 3)
    save(first, file)
    whole.listen(first, until_s=1.0)
    if PERIOD in scenario.knob_values():
        first.set_knob(PERIOD, 700)
    whole.listen(first)

    save(parts.listen(restore(file, 0.3)), file)
    second = parts.listen(restore(file, 1.0))
    if PERIOD in scenario.knob_values():
        second.set_knob(PERIOD, 700)
    save(second, file)
    save(parts.listen(restore(file, 2.7)), file)
    last = parts.listen(restore(file, 4.0))
    assert parts.rows == whole.rows
    assert parts.events == whole.events
    assert last.result() == first.result()
    assert last.tuning.values == first.tuning.values


@pytest.mark.parametrize("owner", ["scanner", "thread"])
def test_a_run_stopped_at_every_block_says_the_same_bytes(owner: str, tmp_path: Path) -> None:
    """Rows every 10 ms, a first visit of 49 ms, then a drain of 0.1 s."""
    changes: dict[str, Any] = {"migration__owner": owner, "pte_scan__pte_slow_ns": 1000.0}
    changes["processes__0__vmas__0__size_mib"] = 192.0
    scenario = tiny(sample_ms=10, until_s=0.5, **changes)
    whole, parts = Told(), Told()
    end = whole.listen(Simulation(scenario, 1))
    simulation = Simulation(scenario, 1)
    in_visit = in_drain = 0
    while not simulation.done:
        parts.listen(simulation, simulation.time_ns / NS_PER_S + 0.01)
        assert simulation.scanner is not None
        in_visit += bool(simulation.scanner.posts[0].at[MM] >= 0)
        in_drain += len(simulation.queue) > 0
        save(simulation, tmp_path / "x")
        simulation = restore(tmp_path / "x")
    assert in_visit > 0
    assert in_drain > 5
    assert (parts.rows, parts.events) == (whole.rows, whole.events)
    assert simulation.result() == end.result()


def test_after_a_stop_inside_a_block_the_rest_of_it_is_next(tmp_path: Path) -> None:
    """So a knob can be changed at the same instants as in a run that was never stopped."""
    save(Told().listen(Simulation(tiny(until_s=0.3), 1)), tmp_path / "x")
    simulation = restore(tmp_path / "x", 1.0)
    ends = []
    while not simulation.done:
        simulation.next_block()
        ends.append(simulation.time_ns // 100_000_000)
    assert ends == [4, 6, 8, 10]


def test_finished_work_and_its_elapsed_time_survive(tmp_path: Path) -> None:
    work = {"processes__0__work_accesses": 1e7, "processes__0__think_ns": 0.0}
    done = Told().listen(Simulation(tiny(**work), 1))
    save(done, tmp_path / "x")
    back = restore(tmp_path / "x", until_s=100.0)
    assert back.done
    assert back.result() == done.result()
    assert back.result()["elapsed_s"] is not None


def test_the_restored_state_is_the_saved_one_node_by_node(tmp_path: Path) -> None:
    """Sharing too: were an array two arrays now, the tables would differ."""
    simulation = Told().listen(Simulation(tiny(), 1), until_s=3.0)
    save(simulation, tmp_path / "x")
    back = restore(tmp_path / "x")
    before, after = (Frozen(s, s.scenario, "simulation") for s in (simulation, back))
    assert after.nodes == before.nodes
    for name, array in before.arrays.items():
        assert array.tobytes() == after.arrays[name].tobytes(), name
    assert back.scanner is not None
    assert back.scanner.memory.folio is back.world.memory.folio is back.queue.memory.folio


def test_a_new_process_goes_on_with_the_same_bytes(tmp_path: Path) -> None:
    file, again = tmp_path / "a.checkpoint", tmp_path / "b.checkpoint"
    save(Told().listen(Simulation(tiny(until_s=3.0), 1)), file)
    whole = Told().listen(Simulation(tiny(until_s=6.0), 1))
    command: list[str | Path] = [
        sys.executable,
        "-m",
        "tiering",
        "run",
        "--resume",
        file,
        "--until",
        "6",
        "--json",
    ]
    done = subprocess.run(
        [*command, "--checkpoint", again], cwd=ROOT, capture_output=True, text=True, check=True
    )
    result = json.loads(done.stdout)
    result.pop("wall_s")
    assert result == json.loads(json.dumps(whole.result()))
    there, here = restore(again), Frozen(whole, whole.scenario, "simulation")
    arrays = Frozen(there, there.scenario, "simulation").arrays
    assert {n: a.tobytes() for n, a in arrays.items()} == {
        n: a.tobytes() for n, a in here.arrays.items()
    }


def test_a_recording_need_not_be_there_any_more(tmp_path: Path) -> None:
    """The state holds the heat that was read from it."""
    folder = tmp_path / "mine"
    shutil.copytree(SCENARIOS / "recordings", folder / "recordings")
    text = (SCENARIOS / "redis-hot10.toml").read_text()
    simulation = Simulation(load_text(text, "mine", {"until_s": 2.0}, folder), 1)
    save(Told().listen(simulation, until_s=1.0), tmp_path / "x")
    shutil.rmtree(folder)
    whole, rest = Told(), Told()
    whole.listen(simulation)
    assert rest.listen(restore(tmp_path / "x")).result() == simulation.result()
    assert (rest.rows, rest.events) == (whole.rows, whole.events)


def test_a_shipped_scenario_belongs_to_the_project_wherever_it_lies(tmp_path: Path) -> None:
    save(Simulation(load_file("first-light"), 1), tmp_path / "x")
    with zipfile.ZipFile(tmp_path / "x") as file:
        assert json.loads(file.read("checkpoint.json"))["scenario"]["folder"] is None
    assert restore(tmp_path / "x").scenario.folder == str(SCENARIOS)


def test_the_arrays_can_be_looked_at_with_numpy(tmp_path: Path) -> None:
    simulation = Simulation(tiny(), 1)
    save(simulation, tmp_path / "x.npz")
    with np.load(tmp_path / "x.npz", allow_pickle=False) as file:
        folios = file["simulation.world.memory.folio"]
    assert np.array_equal(folios, simulation.world.memory.folio)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    file = tmp_path / "tiny.checkpoint"
    save(Told().listen(Simulation(tiny(until_s=2.0), 1)), file)
    return file


def rewritten(file: Path, member: str, change: Callable[[Any], object]) -> Path:
    """The file with one JSON member changed."""
    with zipfile.ZipFile(file) as old:
        contents = {name: old.read(name) for name in old.namelist()}
    data = json.loads(contents[member])
    change(data)
    contents[member] = json.dumps(data).encode()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for name, content in contents.items():
            new.writestr(name, content)
    return file


def refusal(file: Path, until_s: float | None = None) -> str:
    with pytest.raises(CheckpointError) as caught:
        restore(file, until_s)
    assert str(caught.value).startswith(f"{file}: ")
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    "key, value, words",
    [
        ("version", "0.0.9", "written by version 0.0.9; version"),
        ("layout", 99, "has layout 99; this version reads layout 1"),
        ("sources", "0123", "written by other sources of version"),
    ],
)
def test_a_file_of_other_code_is_refused(saved: Path, key: str, value: Any, words: str) -> None:
    assert words in refusal(
        rewritten(saved, "checkpoint.json", lambda about: about.update({key: value}))
    )


@pytest.mark.parametrize(
    "node",
    [
        ["object", "subprocess:Popen", {}],
        ["object", "tiering.work.pool:Pool", {}],
        ["object", "tiering.simulation.loop:NS_PER_S", {}],
        ["object", "tiering.simulation.loop:np.ndarray", {}],
        ["object", "tiering.simulation.loop:Simulation", {"done": 1}],
        ["record", "tiering.simulation.loop:Simulation", []],
        ["model", 10**6],
        ["array", "nowhere", True],
        ["view", [0], [0], 0, [1], [1], True],
        ["tuple", [[0]]],
        ["code", "print()"],
        [],
        None,
        7,
    ],
)  # fmt: skip
def test_a_forged_state_is_refused(saved: Path, node: Any) -> None:
    assert refusal(rewritten(saved, "state.json", lambda nodes: nodes.__setitem__(0, node)))


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    text = tmp_path / "x.toml"
    text.write_text(TINY)
    assert "no checkpoint, damaged or cut short" in refusal(text)
    assert "cannot be read: No such file" in refusal(tmp_path / "none")
    with zipfile.ZipFile(tmp_path / "empty.zip", "w"):
        pass
    assert "damaged" in refusal(tmp_path / "empty.zip")


def test_a_file_cut_short_anywhere_is_refused(saved: Path) -> None:
    whole = saved.read_bytes()
    for length in (0, 1, 100, len(whole) // 2, len(whole) - 1000, len(whole) - 1):
        saved.write_bytes(whole[:length])
        assert "damaged or cut short" in refusal(saved)


def test_a_flipped_bit_is_seen_or_means_nothing(saved: Path) -> None:
    whole = saved.read_bytes()
    good = Frozen(simulation := restore(saved), simulation.scenario, "simulation").nodes
    chance = random.Random(5)
    refused = 0
    for _ in range(120):
        damaged = bytearray(whole)
        damaged[chance.randrange(len(whole))] ^= 1 << chance.randrange(8)
        saved.write_bytes(damaged)
        try:
            back = restore(saved)
        except CheckpointError:
            refused += 1
        else:
            assert Frozen(back, back.scenario, "simulation").nodes == good
    assert refused > 80


def test_a_member_that_says_it_is_encrypted_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "x"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        new.writestr("a.npy", b"")
    whole = bytearray(file.read_bytes())
    whole[whole.rindex(b"PK\x01\x02") + 8] |= archive.ENCRYPTED
    file.write_bytes(whole)
    with pytest.raises(CheckpointError, match="damaged or cut short: encrypted"):
        archive.reading(file).__enter__()


@pytest.mark.parametrize("header", [b"{'descr': (", b"  {\n x\n y", b"{}", b"1 +", b"\xff" * 9])
def test_a_damaged_header_of_an_array_is_refused(tmp_path: Path, header: bytes) -> None:
    file = tmp_path / "x"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        new.writestr("a.npy", b"\x93NUMPY\x01\x00" + bytes([len(header), 0]) + header)
    with pytest.raises(CheckpointError, match="damaged"), archive.reading(file) as opened:
        archive.read_array(opened, "a")


def test_a_state_larger_than_the_host_is_refused_with_its_size(
    saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "available_bytes", lambda: 1000)
    assert "holds a state of 0.0 GiB; 0.0 GiB of host memory" in refusal(saved)


def test_a_new_end_must_be_possible(saved: Path, tmp_path: Path) -> None:
    assert "until_s = 1: it is at 2 s" in refusal(saved, 1.0)
    with pytest.raises(ScenarioError, match="until_s = 0: allowed is more than 0"):
        restore(saved, 0)
    between = tmp_path / "between"
    save(Told().listen(Simulation(tiny(until_s=0.33), 1)), between)
    assert restore(between).done
    assert "between two samples (sample_ms = 100)" in refusal(between, 1.0)


def test_a_target_is_checked_before_the_run(tmp_path: Path) -> None:
    simulation = Simulation(tiny(), 1)
    check_target(tmp_path / "x", simulation)
    for target in (tmp_path, tmp_path / "none" / "x"):
        with pytest.raises(CheckpointError, match="cannot be written there"):
            check_target(target, simulation)
    with pytest.raises(CheckpointError, match=r"until_s = 0\.33: .* a multiple of sample_ms = 100"):
        check_target(tmp_path / "x", Simulation(tiny(until_s=0.33), 1))


def test_what_cannot_be_saved_leaves_the_old_file_alone(
    saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = saved.read_bytes()
    simulation = restore(saved)
    simulation.queue.waiting = {1, 2}  # type: ignore[attr-defined]
    with pytest.raises(CheckpointError, match=r"simulation\.queue\.waiting: .* holds no set"):
        save(simulation, saved)
    del simulation.queue.waiting  # type: ignore[attr-defined]

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint, "write_array", full)
    with pytest.raises(CheckpointError, match="cannot be written: No space left on device"):
        save(simulation, saved)
    assert saved.read_bytes() == before
    assert [path.name for path in saved.parent.iterdir()] == [saved.name]


def test_a_scenario_changed_by_hand_is_refused(tmp_path: Path) -> None:
    scenario = tiny().model_copy(update={"sample_ms": 200})
    with pytest.raises(CheckpointError, match="tiny: cannot be saved: changed after it was loaded"):
        save(Simulation(scenario, 1), tmp_path / "x")
