"""Policies of the user's own in whole runs: where they are found, and that they repeat."""

from pathlib import Path
from typing import Any

import pytest

from tests.simulation.scenarios import TINY
from tiering.promotion.policy_text import ARGUMENTS, CALLS
from tiering.simulation.checkpoint import restore, save
from tiering.simulation.load import ScenarioError, load_file, load_text
from tiering.simulation.loop import Simulation
from tiering.simulation.policy import POLICIES, policy_names

OWN = """
MOST = 8


def cautious(state, mm, resident_top_mib):
    \"\"\"So much of every process, and no more; state counts.\"\"\"
    state[mm % 64] += 1
    return resident_top_mib < MOST
"""
ROOMS: dict[str, Any] = {
    "rooms.hotness": "exact", "rooms.promotion": "user_policy", "until_s": 4.0, "sample_ms": 500,
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a scenario and a policy beside it."""
    (tmp_path / "mine.py").write_text(OWN)
    (tmp_path / "tiny.toml").write_text(TINY)
    return tmp_path


def run_of(folder: Path, **changes: Any) -> Simulation:
    known = {"user_policy.file": "mine.py"} | {k.replace("__", "."): v for k, v in changes.items()}
    return Simulation(load_file(str(folder / "tiny.toml"), ROOMS | known), 1)


def test_a_policy_beside_the_scenario_decides_what_rises(folder: Path) -> None:
    simulation = run_of(folder)
    while not simulation.done:
        simulation.next_block()
    counters = simulation.result()["counters"]
    assert counters["pgpromote_success"] == 8 * 256
    assert counters["promote_refused"] > 16 * 256
    (folder / "mine.py").write_text(OWN.replace("MOST = 8", "MOST = 4"))
    other = run_of(folder)
    while not other.done:
        other.next_block()
    assert other.queue.counters["pgpromote_success"] == 4 * 256, "the text is what is compiled"


def test_a_checkpoint_goes_on_with_the_policy_that_it_began_with(folder: Path) -> None:
    whole, parts = run_of(folder), run_of(folder)
    said, again = b"", b""
    while not whole.done:
        said += whole.next_block().rows
    file = folder / "run.checkpoint"
    (folder / "mine.py").unlink()
    while not parts.done:
        again += parts.next_block().rows
        save(parts, file)
        parts = restore(file)
    assert again == said
    assert parts.result() == whole.result()


def problem(**changes: Any) -> str:
    overrides = ROOMS | {key.replace("__", "."): value for key, value in changes.items()}
    with pytest.raises(ScenarioError) as told:
        Simulation(load_text(TINY, "tiny", overrides), 1)
    assert "\n" not in str(told.value)
    return str(told.value)


def test_a_shipped_policy_is_found_by_name_and_others_are_refused_where_there_is_no_folder() -> (
    None
):
    """So it is for a worker, and for the page."""
    for name in policy_names():
        for file in (name, f"policies/{name}"):
            scenario = load_text(TINY, "tiny", ROOMS | {"user_policy.file": file})
            assert scenario.policy_text == (POLICIES / name).read_text()
    assert problem(user_policy__file="mine.py") == (
        "tiny: user_policy.file = 'mine.py': no such file in the scenario's folder, which a run of "
        "the page has none of, and none of the shipped policies: fair_share.py, young_and_hot.py"
    )
    for file in ("/mine.py", "../mine.py", "mine.txt"):
        assert "should be a relative path to a .py file" in problem(user_policy__file=file)


def test_what_goes_wrong_with_a_policy_is_one_sentence(folder: Path) -> None:
    assert problem().startswith("tiny: rooms.promotion = 'user_policy': which is not said; give")
    assert "has no effect without rooms.promotion = 'user_policy'" in problem(
        rooms__promotion="every_report", user_policy__file="fair_share.py"
    )
    assert "user_policy = a list of 1: should be a table" in problem(user_policy=[1])
    (folder / "mine.py").write_text("def mine(heat):\n    import os\n    return True\n")
    with pytest.raises(ScenarioError, match=r"mine.py, line 2: a policy imports nothing"):
        run_of(folder)
    (folder / "mine.py").write_bytes(b"\xff")
    with pytest.raises(ScenarioError, match="cannot be read: "):
        run_of(folder)
    (folder / "mine.py").write_text("#" * 200_000)
    with pytest.raises(ScenarioError, match="has more than 100000 bytes"):
        run_of(folder)


@pytest.mark.compiled
def test_a_policy_that_does_not_compile_is_told_before_the_run_begins(folder: Path) -> None:
    (folder / "mine.py").write_text("def mine(heat):\n    return heat\n")
    with pytest.raises(ScenarioError, match=r"tiny.toml: mine.py, line 1: mine returns int64"):
        run_of(folder)


def test_twenty_lines_keep_the_quiet_tenants_hot_set_on_dram() -> None:
    """As the scenario says: half of DRAM for each; without a policy the busy one has it all."""
    fair = Simulation(load_file("policy-of-ones-own"), 1)
    free = Simulation(
        load_file("policy-of-ones-own", {"user_policy.file": "policies/young_and_hot.py"}), 1
    )
    for simulation in (fair, free):
        while not simulation.done:
            simulation.next_block()
    share = [one.progress.flow.share[0].tolist() for one in (fair, free)]
    assert share[0][1] > 0.9
    assert share[1][1] < 0.5


def test_the_page_on_policies_has_every_argument_as_it_is_declared() -> None:
    page = (POLICIES.parent / "docs" / "policies.md").read_text()
    table = "\n".join(f"| `{name}` | {meaning} |" for name, meaning in ARGUMENTS.items())
    assert table in page
    assert ", ".join(f"`{name}`" for name in CALLS) in page
    for name in policy_names():
        assert f"`policies/{name}`" in page
