from pathlib import Path

import pytest

from tests.simulation.scenarios import TINY
from tiering.simulation.load import ScenarioError, load_file, load_text

NODES = TINY[TINY.index("[[nodes]]") : TINY.index("[[processes]]")]
WITHOUT = 'profile = "mine"\n' + TINY.replace(NODES, "")


def with_machine(folder: Path, text: str) -> Path:
    (folder / "machines").mkdir()
    (folder / "machines" / "mine.toml").write_text(text)
    return folder


def problem(folder: Path, text: str) -> str:
    with pytest.raises(ScenarioError) as error:
        load_text(WITHOUT, "tiny", folder=with_machine(folder, text))
    return str(error.value)


def test_a_profile_gives_nodes_and_constants_and_the_scenario_wins(tmp_path: Path) -> None:
    machine = NODES + "[machine]\nfault_us = 3.0\n[migration]\nreserve = 'high'\nbatch_nr = 7\n"
    scenario = load_text(WITHOUT, "tiny", folder=with_machine(tmp_path, machine))
    assert [node.name for node in scenario.nodes] == ["DRAM", "CXL"]
    assert scenario.machine.fault_us == 3.0
    assert scenario.migration.batch_nr == 7
    assert scenario.migration.reserve == "none", "the scenario says so"


def test_nodes_of_a_profile_can_be_changed_one_by_one(tmp_path: Path) -> None:
    folder = with_machine(tmp_path, NODES)
    scenario = load_text(WITHOUT, "tiny", {"nodes.1.latency_ns": 300.0}, folder=folder)
    assert [node.latency_ns for node in scenario.nodes] == [100.0, 300.0]


def test_nodes_of_the_scenario_replace_those_of_the_profile() -> None:
    scenario = load_text('profile = "epyc-cxl"\n' + TINY, "tiny")
    assert scenario.nodes[0].capacity_mib == 64
    assert scenario.machine.pt_cache_mib == load_file("kmmscand-v0-abench-8g").machine.pt_cache_mib


def test_an_unknown_profile_is_named_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError) as error:
        load_text(WITHOUT, "tiny", folder=tmp_path)
    assert str(error.value) == (
        "tiny: profile = 'mine': no such machine; allowed is one of 'epyc-cxl', 'xeon-pmem'"
    )


def test_what_is_no_machine_in_a_profile_is_refused(tmp_path: Path) -> None:
    assert problem(tmp_path, "title = 'x'") == (
        "tiny: profile = 'mine': title: a machine has nodes and knob sections"
    )


def test_a_profile_that_is_no_toml_is_refused(tmp_path: Path) -> None:
    assert problem(tmp_path, "nodes = ").startswith("tiny: profile = 'mine': mine.toml cannot be")
