"""A simulation in one file, to go on with later (docs/model.md#repeatability).

`checkpoint.json` says what was run: scenario text, folder, overrides, policy, seed, version.
`state.json` and the arrays are the graph of the engine's objects. It is complete: nothing is built
anew, and a recording or a policy is not read again. A file can name no code but a policy, which is
read as strictly as ever; it is no sandbox: compiled loops trust the indices in a state, so take
files only from people whose programs you would run.
"""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import tiering
from tiering.simulation.archive import read_array, reading, write_array, writing
from tiering.simulation.catalogue import SCENARIOS
from tiering.simulation.freeze import ROOMS, CheckpointError, Frozen, models
from tiering.simulation.load import load_text
from tiering.simulation.loop import NS_PER_S, Simulation, end_ns
from tiering.simulation.scenario import Scenario
from tiering.simulation.thaw import Thawed

__all__ = ["CheckpointError", "check_target", "restore", "save"]

LAYOUT = 1


def _sources() -> str:
    """Hash of what a result depends on: a version number does not notice an edit."""
    package = Path(tiering.__file__).parent
    digest = hashlib.sha256()
    for room in sorted({*ROOMS, "recordings"}):
        for path in sorted((package / room).rglob("*.py")):
            text = path.read_bytes()
            digest.update(f"{path.relative_to(package)} {len(text)}\0".encode() + text)
    return digest.hexdigest()[:16]


SOURCES = _sources()  # of this process, whatever is edited meanwhile


def check_target(path: Path | str, simulation: Simulation) -> None:
    """Raises CheckpointError if the end could not be saved there, or the run not go on from it."""
    path = Path(path)
    if path.is_dir() or not os.access(path.parent, os.W_OK):
        raise CheckpointError(f"{path}: a checkpoint cannot be written there")
    scenario = simulation.scenario
    if simulation.until_ns % (scenario.sample_ms * 1_000_000):
        raise CheckpointError(
            f"until_s = {scenario.until_s:g}: a run with a checkpoint should end at a sample, "
            f"a multiple of sample_ms = {scenario.sample_ms}"
        )


def save(simulation: Simulation, path: Path | str) -> None:
    """Write the state, between two blocks; the file appears when it is complete.

    Raises CheckpointError if part of the state is of an unknown kind, which it names, if the
    scenario is not as it was loaded, or if the file cannot be written.
    """
    about = _about(simulation)
    frozen = Frozen(simulation, simulation.scenario, "simulation")
    with writing(Path(path)) as archive:
        archive.writestr("checkpoint.json", json.dumps(about, indent=1))
        archive.writestr("state.json", json.dumps(frozen.nodes, separators=(",", ":")))
        for name, array in frozen.arrays.items():
            write_array(archive, name, array)


def restore(path: Path | str, until_s: float | None = None) -> Simulation:
    """The simulation as it was; until_s: a new end, not before the present.

    Raises CheckpointError if the file cannot be gone on with, or not until until_s.
    """
    with reading(Path(path)) as archive:
        about = json.loads(archive.read("checkpoint.json"))
        _check_origin(about)
        scenario = _scenario(about["scenario"], until_s)
        nodes = json.loads(archive.read("state.json"))
        thawed = Thawed(nodes, models(scenario), lambda name: read_array(archive, name))
        simulation = thawed.root
        if not isinstance(simulation, Simulation):
            raise CheckpointError("damaged: it holds no simulation")
        if until_s is not None:
            _move_end(simulation)
    return simulation


def _about(simulation: Simulation) -> dict[str, Any]:
    scenario = simulation.scenario
    known: dict[str, Any] = {
        "name": scenario.name,
        "text": scenario.text,
        "folder": scenario.folder,
        "overrides": scenario.overrides,
        "policy": scenario.policy_text or None,
    }
    if _scenario(known, origin=scenario.origin) != scenario:
        raise CheckpointError(f"{scenario.name}: cannot be saved: changed after it was loaded")
    shipped = Path(scenario.folder) == SCENARIOS  # wherever the project lies next time
    known["folder"] = None if shipped else str(Path(scenario.folder).resolve())
    return {
        "layout": LAYOUT,
        "version": tiering.__version__,
        "sources": SOURCES,
        "seed": simulation.seed,
        "time_ns": simulation.time_ns,
        "scenario": known,
    }


def _scenario(
    known: dict[str, Any], until_s: float | None = None, origin: str | None = None
) -> Scenario:
    changed = {} if until_s is None else {"until_s": until_s}
    folder = SCENARIOS if known["folder"] is None else Path(known["folder"])
    overrides = {**known["overrides"], **changed}
    name, policy = known["name"], known["policy"]
    return load_text(known["text"], name, overrides, folder, origin, policy)


def _check_origin(about: dict[str, Any]) -> None:
    layout, version, sources = about["layout"], about["version"], about["sources"]
    if layout != LAYOUT:
        raise CheckpointError(f"has layout {layout}; this version reads layout {LAYOUT}")
    if version != tiering.__version__:
        raise CheckpointError(
            f"written by version {version}; version {tiering.__version__} cannot go on with it"
        )
    if sources != SOURCES:
        raise CheckpointError(
            f"written by other sources of version {version} ({sources}, here {SOURCES}); only the "
            "code that began a run can go on with it"
        )


def _move_end(simulation: Simulation) -> None:
    """The end that the scenario now has, if the run can go on to it as if it had never stopped."""
    scenario, now_ns = simulation.scenario, simulation.time_ns
    simulation.until_ns = end_ns(scenario)
    if simulation.until_ns < now_ns:
        raise CheckpointError(f"until_s = {scenario.until_s:g}: it is at {now_ns / NS_PER_S:g} s")
    if not simulation.done and now_ns % (scenario.sample_ms * 1_000_000):
        raise CheckpointError(
            f"until_s = {scenario.until_s:g}: the run ended at {now_ns / NS_PER_S:g} s, between "
            f"two samples (sample_ms = {scenario.sample_ms}), and can only end there"
        )
