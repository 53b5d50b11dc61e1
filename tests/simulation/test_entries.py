from typing import Any

import pytest

from tests.simulation.scenarios import TINY, tiny
from tests.simulation.test_load import problem
from tiering.simulation.load import load_text
from tiering.simulation.scenario import Scenario

VMA = "processes.0.vmas.0"


def with_processes(*entries: tuple[str, int]) -> str:
    """The tiny machine with processes of those names and counts after its own `app`."""
    more = [
        f'[[processes]]\nname = "{name}"\ncount = {count}\nthreads = 1\n'
        f"[[processes.vmas]]\nsize_mib = 1.0\n"
        for name, count in entries
    ]
    return TINY + "".join(more)


@pytest.mark.parametrize("key", ["name", "text", "folder", "origin", "overrides"])
def test_what_the_loader_sets_is_no_key_of_a_file(key: str) -> None:
    words = f"tiny: {key}: unknown key; allowed are title, question, topic, "
    assert problem(**{key: "foo"}).startswith(words)
    assert problem(f'{key} = "foo"\n{TINY}').startswith(words)


def test_the_number_of_a_node_is_no_key_of_a_file() -> None:
    message = problem(nodes__0__nid=3)
    assert message.startswith("tiny: nodes.0.nid: unknown key; allowed are name, tier, ")
    assert "nid" not in message.split("allowed are")[1]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("machine", [9]),
        ("pte_scan", [True, 5]),
        ("migration", []),
        (f"{VMA}.zipf", [1.0]),
        ("processes.0.damon_recording", [2]),
    ],
)
def test_a_list_is_no_table_of_knobs(key: str, value: list[Any]) -> None:
    words = f"tiny: {key} = a list of {len(value)}: should be a table; allowed are "
    assert problem(**{key: value}).startswith(words)


def test_a_table_of_a_pattern_that_is_not_chosen_is_refused() -> None:
    assert problem(**{f"{VMA}.zipf.exponent": 1.0}) == (
        f"tiny: {VMA}.zipf: has no effect with pattern = 'uniform'; should be {VMA}.uniform, "
        "or pattern = 'zipf'"
    )
    text = TINY.replace("[migration]", "[processes.vmas.zipf]\nexponent = 1.0\n[migration]")
    assert problem(text).startswith(f"tiny: {VMA}.zipf: has no effect with pattern = 'uniform'")


def test_the_table_of_a_pattern_that_a_run_changes_may_stay_in_the_file() -> None:
    text = TINY.replace('"uniform"', '"zipf"')
    text = text.replace("[migration]", "[processes.vmas.zipf]\nexponent = 1.0\n[migration]")
    changed = {f"{VMA}.pattern": "hot_set"}
    assert load_text(text, "tiny", changed).processes[0].vmas[0].pattern == "hot_set"
    message = problem(text, **changed, **{f"{VMA}.zipf.exponent": 2.0})
    assert message.startswith(f"tiny: {VMA}.zipf: has no effect with pattern = 'hot_set'")


def test_knobs_of_a_recording_that_is_not_there_are_refused() -> None:
    assert problem(processes__0__damon_recording__skip_s=1.0) == (
        "tiny: processes.0.damon_recording: has no effect without processes.0.recording"
    )


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ([("app", 1)], "processes.1.name = 'app': is taken by processes.0; names must differ"),
        ([("b", 2), ("b", 3)], "processes.2.name = 'b': is taken by processes.1; names must"),
        (
            [("a", 2), ("a-1", 1)],
            "processes.2.name = 'a-1': is taken by processes.1, of which 2 are numbered; names",
        ),
        ([("a-0", 1), ("a", 2)], "processes.1.name = 'a-0': is taken by processes.2, of which 2"),
    ],
)
def test_names_of_processes_differ(entries: list[tuple[str, int]], words: str) -> None:
    message = problem(with_processes(*entries))
    assert message.startswith(f"tiny: {words}")
    assert len(message.splitlines()) == 1


def names(scenario: Scenario) -> list[str]:
    return [name for _, name in scenario.all_processes()]


def test_names_that_only_look_alike_are_taken() -> None:
    entries = [("a", 2), ("a-2", 1), ("a-01", 1), ("a-0", 2), ("b", 1), ("app", 2)]
    scenario = load_text(with_processes(*entries), "tiny")
    assert len(set(names(scenario))) == scenario.nr_processes == len(names(scenario))
    assert names(tiny(processes__0__count=2)) == ["app-0", "app-1"]
