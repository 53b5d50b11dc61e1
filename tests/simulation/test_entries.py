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


def test_a_home_is_one_of_the_nodes() -> None:
    assert problem(processes__0__home_node="HBM") == (
        "tiny: processes.0.home_node = 'HBM': nodes are DRAM, CXL"
    )
    scenario = tiny(processes__0__home_node="CXL")
    assert scenario.home_nid(scenario.processes[0]) == 1


@pytest.mark.parametrize(
    ("lifetime", "every", "words"),
    [
        (0.0, 2.0, "every_s = 2: has no effect without processes.0.lifetime_s"),
        (3.0, 2.5, "every_s = 2.5: should be 0, once, or at least lifetime_s = 3: a life ends"),
    ],
)
def test_lives_do_not_overlap(lifetime: float, every: float, words: str) -> None:
    lives = {"processes__0__lifetime_s": lifetime, "processes__0__every_s": every}
    assert problem(**lives).startswith(f"tiny: processes.0.{words}")


@pytest.mark.parametrize(("lifetime", "every"), [(0.0, 0.0), (3.0, 0.0), (3.0, 3.0), (3.0, 4.0)])
def test_lives_that_follow_each_other_are_taken(lifetime: float, every: float) -> None:
    assert tiny(processes__0__lifetime_s=lifetime, processes__0__every_s=every).processes


@pytest.mark.parametrize(
    ("order", "size", "split", "words"),
    [
        (9, 95.0, 0.0, "size_mib = 95: should be a multiple of 2, the MiB of a folio of order = 9"),
        (4, 1.03, 0.0, "size_mib = 1.03: should be a multiple of 0.0625, the MiB of a folio of"),
        (9, 96.0, 3.0, "split_mib = 3: should be a multiple of 2, the MiB of a folio of order = 9"),
    ],
)
def test_a_vma_is_a_whole_number_of_folios(
    order: int, size: float, split: float, words: str
) -> None:
    keys = {"order": order, "size_mib": size, "split_mib": split}
    message = problem(**{f"{VMA}.{key}": value for key, value in keys.items()})
    assert message.startswith(f"tiny: {VMA}.{words}")
    assert len(message.splitlines()) == 1


@pytest.mark.parametrize(
    ("order", "size", "split"), [(0, 1.03, 0.3), (4, 1.0625, 0.125), (9, 96.0, 34.0)]
)
def test_sizes_that_are_whole_folios_are_taken(order: int, size: float, split: float) -> None:
    keys = {"order": order, "size_mib": size, "split_mib": split}
    assert tiny(**{f"{VMA}.{key}": value for key, value in keys.items()}).processes


@pytest.mark.parametrize("split", [0.0, 0.3, 1.0, 48.0, 100.0])
def test_a_sweep_may_be_split_at_any_size(split: float) -> None:
    assert tiny(**{f"{VMA}.pattern": "sequential", f"{VMA}.split_mib": split}).processes


NEW_KEYS = [
    (f"{VMA}.order", 3, "allowed is one of 0, 4, 9"),
    (f"{VMA}.kind", "file", "allowed is one of 'anon', 'page_cache'"),
    (f"{VMA}.pinned_pct", 101.0, "allowed is 0 .. 100"),
    (f"{VMA}.shared_pct", -1.0, "allowed is 0 .. 100"),
    (f"{VMA}.sequential.stride_pages", 0, "allowed is a whole number 1 .. 268_435_456 pages"),
    (f"{VMA}.sequential.burst", 5000, "allowed is a whole number 1 .. 4_096"),
    (f"{VMA}.growing.start_pct", 0.0, "allowed is 0.01 .. 100 %"),
    (f"{VMA}.growing.steps", 64, "allowed is a whole number 1 .. 63"),
    (f"{VMA}.growing.step_accesses", 0.5, "allowed is 1 .. 1e+18"),
    ("processes.0.start_s", -1.0, "allowed is 0 .. 1_000_000"),
    ("processes.0.lifetime_s", 1e7, "allowed is 0 .. 1_000_000"),
    ("processes.0.every_s", "often", "allowed is 0 .. 1_000_000"),
    ("processes.0.home_node", 3, "allowed is"),
    ("reclaim.demotion_enabled", 1, "allowed is true or false"),
    ("reclaim.lru", "clock", "allowed is one of 'active_inactive', 'mglru'"),
    ("reclaim.min_free_kbytes", -4, "allowed is a whole number 0 .. 1_073_741_824 KiB"),
    ("reclaim.watermark_scale_factor", 3001, "allowed is a whole number 1 .. 3_000 /10000"),
    ("reclaim.tiering_mode", "on", "allowed is true or false"),
    ("reclaim.demote_scale_factor", 1001, "allowed is a whole number 0 .. 1_000 /10000"),
    ("reclaim.rmap_ns", -1.0, "allowed is 0 .. 100_000 ns"),
    ("reclaim.age_ns", 1e5, "allowed is 0 .. 10_000 ns"),
    ("reclaim.demote_us", 1e5, "allowed is 0 .. 10_000 us"),
    ("reclaim.ping_pong_s", 3601.0, "allowed is 0 .. 3_600 s"),
    ("migration.reserve", "low", "allowed is one of 'none', 'min', 'high'"),
    ("migration.refuse_shared", "yes", "allowed is true or false"),
    ("migration.rate_limit_mib_s", -1, "allowed is a whole number 0 .. 1_048_576 MiB/s"),
    ("pte_scan.nr_threads", 1025, "allowed is a whole number 0 .. 1_024"),
    ("pte_scan.nice", -21, "allowed is a whole number -20 .. 19"),
]


@pytest.mark.parametrize(("key", "value", "words"), NEW_KEYS, ids=[key for key, _, _ in NEW_KEYS])
def test_a_value_out_of_range_is_named_with_key_and_range(key: str, value: Any, words: str) -> None:
    message = problem(**{key: value})
    assert message.startswith(f"tiny: {key} = {value!r}: {words}"), message
    assert len(message.splitlines()) == 1


@pytest.mark.parametrize(
    ("changes", "where"),
    [({"order": 9}, "order = 9"), ({"order": 4}, "order = 4"), ({"kind": "page_cache"}, "kind")],
)
def test_holes_are_between_small_mapped_folios(changes: dict[str, Any], where: str) -> None:
    vma = {f"processes__0__vmas__0__{key}": value for key, value in changes.items()}
    message = problem(**vma, processes__0__vmas__0__populated_pct=50.0)
    assert f"{VMA}.populated_pct = 50: should be 100 where {where}" in message
    assert tiny(**vma).processes[0].vmas[0].populated_pct == 100
