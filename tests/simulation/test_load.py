from pathlib import Path

import pytest

from tests.simulation.scenarios import TINY, tiny
from tiering.model.knobs import knob_specs
from tiering.simulation.build import build
from tiering.simulation.catalogue import scenario_names, scenario_path
from tiering.simulation.describe import describe
from tiering.simulation.load import ScenarioError, load_file, load_text, parse_value
from tiering.simulation.loop import Simulation
from tiering.simulation.presets import PRESETS
from tiering.simulation.rooms import SECTIONS, sections


def problem(text: str = TINY, /, **changes: object) -> str:
    overrides = {key.replace("__", "."): value for key, value in changes.items()}
    with pytest.raises(ScenarioError) as caught:
        build(load_text(text, "tiny", overrides), 1)
    return str(caught.value)


@pytest.mark.parametrize("name", scenario_names())
def test_every_shipped_scenario_loads_and_builds(name: str) -> None:
    scenario = load_file(name)
    assert build(scenario, scenario.seed).nr_folios.sum() > 0
    assert scenario.question.endswith("?")


def test_knobs_that_do_not_go_together_name_process_and_vma() -> None:
    sets = {"pattern": "phases", "phases.nr_sets": 3, "phases.hot_size_pct": 40.0}
    assert problem(**{f"processes.0.vmas.0.{key}": value for key, value in sets.items()}) == (
        "tiny: processes.0.vmas.0 (process app, VMA heap): phases.hot_size_pct = 40 with "
        "nr_sets = 3: the sets share no folio, so allowed is at most 33.33 %"
    )


def test_all_problems_of_a_file_are_reported_at_once() -> None:
    lines = problem(pte_scan__scan_period_ms=9, until_s=-1.0).splitlines()
    assert len(lines) == 2


def test_text_that_is_not_toml_is_refused_with_the_place() -> None:
    assert "not TOML" in problem("title = ")
    assert "(at line 2, column 7)" in problem("title = 'a'\nquery 1")


def misfit(**changes: object) -> str:
    with pytest.raises(ScenarioError) as caught:
        Simulation(tiny(**changes), 1)
    return str(caught.value)


@pytest.mark.parametrize("split_mib", [0.0, 100.0])
def test_memory_that_fits_on_no_node_is_refused_by_the_size_of_the_whole_vma(
    split_mib: float,
) -> None:
    vma = "processes__0__vmas__0__"
    assert misfit(**{f"{vma}size_mib": 2000.0, f"{vma}split_mib": split_mib}) == (
        "tiny: processes.0.vmas.0.size_mib: process app, VMA heap of 2000 MiB does not fit: CXL "
        "has 1024 MiB in all, of which the min watermark stays free, 979.875 MiB too few"
    )


def test_a_recording_that_fits_on_no_node_is_refused_with_its_key() -> None:
    with pytest.raises(ScenarioError) as caught:
        Simulation(load_file("redis-hot10", {"nodes.1.capacity_mib": 64}), 1)
    message = str(caught.value)
    assert message.startswith("redis-hot10: processes.0.recording: process ")
    assert "MiB does not fit: " in message


def test_a_node_that_does_not_exist_is_refused() -> None:
    message = problem(processes__0__vmas__0__node="HBM")
    assert message == "tiny: processes.0.vmas.0.node = 'HBM': nodes are DRAM, CXL, first_touch"


def test_a_target_node_on_the_slow_tier_is_refused() -> None:
    assert "migration.target_node = 1: should be a top-tier node, one of 0" in problem(
        migration__target_node=1
    )


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"pte_scan__scan_period_min_ms": 6000}, "scan_period_max_ms = 5000"),
        (
            {"preset": "numa_balancing_2", "hint_fault__scan_period_max_ms": 500},
            "scan_period_max_ms = 500",
        ),
        ({"preset": "damon_mtier", "damon__sample_us": 200_000}, "aggr_us = 100000"),
        ({"preset": "damon_mtier", "damon__max_nr_regions": 5}, "max_nr_regions = 5"),
        ({"preset": "damon_mtier", "damos_migrate_hot__max_age": 0,
          "damos_migrate_hot__min_age": 1}, "max_age = 0"),
        ({"preset": "hemem", "counts__hot_reads": 30}, "cooling_threshold = 18"),
    ],
)  # fmt: skip
def test_a_range_the_wrong_way_round_is_refused(changes: dict[str, object], sentence: str) -> None:
    assert f": should be at most {sentence}" in problem(**changes)


@pytest.mark.parametrize("nid", [0, 2, 9])
def test_a_scheme_that_demotes_to_the_top_tier_or_nowhere_is_refused(nid: int) -> None:
    message = problem(preset="damon_mtier", damos_migrate_cold__target_nid=nid)
    assert message == (
        f"tiny: damos_migrate_cold.target_nid = {nid}: should be -1 or a node below the top tier, "
        "one of 1"
    )


def test_shares_that_do_not_sum_to_100_are_refused() -> None:
    assert "sums to 40, should be 100" in problem(processes__0__vmas__0__share_pct=40.0)


def test_an_override_of_a_place_that_does_not_exist_is_refused() -> None:
    assert "nodes has entries 0 .. 1, not '7'" in problem(nodes__7__latency_ns=1.0)
    assert "nodes has entries 0 .. 1, not '\u00b2'" in problem(**{"nodes.\u00b2.latency_ns": 1.0})
    assert "title is a value, not a table" in problem(title__x=1)


def test_a_file_that_is_missing_or_not_text_is_refused(tmp_path: Path) -> None:
    nowhere, bad, folder = (tmp_path / name for name in ("nowhere.toml", "bad.toml", "x.toml"))
    bad.write_bytes(b"title = '\xff'")
    folder.mkdir()
    other = tmp_path / "other.txt"
    other.write_text(TINY)
    for path, words in (
        (nowhere, "no such scenario; give a .toml file or one of "),
        (bad, "not UTF-8 text at byte 9"),
        (folder, "is a folder; give a .toml file in it"),
        (other, "the name of a scenario's file should end in .toml"),
    ):
        with pytest.raises(ScenarioError) as caught:
            load_file(str(path))
        assert str(caught.value).startswith(f"{path}: {words}")


@pytest.mark.parametrize("text", ["x = " + "[" * 5000, "x = " + "9" * 5000])
def test_what_the_reader_of_toml_gives_up_on_is_refused(text: str) -> None:
    assert problem(text).startswith("tiny: not TOML: ")
    assert parse_value(text.removeprefix("x = ")) == text.removeprefix("x = ")


def test_messages_name_the_file_as_it_was_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "some.toml").write_text(TINY)
    for where in ("mine/some.toml", "./mine/some.toml", str(tmp_path / "mine" / "some.toml")):
        assert load_file(where).name == "some"
        for key, value in (("seed", -1), ("migration.target_node", 1), ("title.x", 1)):
            with pytest.raises(ScenarioError) as caught:
                load_file(where, {key: value})
            assert str(caught.value).startswith(f"{where}: {key}")
    with pytest.raises(ScenarioError, match=r"^first-light: seed = -1: "):
        load_file("first-light", {"seed": -1})


def test_values_on_the_command_line_are_toml_or_plain_words() -> None:
    values = ["1", "2.5", "true", "[1, 2]", "CXL", '"7"']
    assert [parse_value(v) for v in values] == [1, 2.5, True, [1, 2], "CXL", "7"]


def test_knobs_in_use_are_those_of_the_preset() -> None:
    assert {p.split(".")[0] for p in tiny().knob_specs()} == {
        "machine",
        "pte_scan",
        "migration",
        "reclaim",
    }
    assert {p.split(".")[0] for p in tiny(preset="none").knob_specs()} == {"machine", "reclaim"}
    assert tiny(pte_scan__scan_period_ms=777).knob_values()["pte_scan.scan_period_ms"] == 777


def test_replicas_are_numbered() -> None:
    world = build(tiny(processes__0__count=3), 1)
    assert [mm.name for mm in world.mms] == ["app-0", "app-1", "app-2"]


def test_first_touch_fills_the_top_tier_first() -> None:
    """Down to low on both, then to min: nodes of 64 and 1024 MiB share 4.1 MiB of min_free."""
    world = Simulation(tiny(processes__0__vmas__0__node="first_touch"), 1).world
    top, slow = world.memory.resident.sum(axis=0).tolist()
    assert top == 64 * 256 - world.marks.low[0]
    assert top + slow == 96 * 256


def test_the_oracle_refuses_machines_that_it_cannot_place_on() -> None:
    assert "not on 2 and 0" in problem(preset="oracle", nodes__1__tier=0)


def test_a_recording_states_its_assumptions_before_and_after_the_run() -> None:
    scenario = load_file("redis-hot10")
    description = describe(scenario)
    assert any("accesses per touch" in sentence for sentence in description.assumptions)
    world = build(scenario, 1)
    assert world.assumptions == description.assumptions
    assert description.size_mib == world.nr_folios.sum() / 256


def test_a_static_scenario_is_described_by_its_sizes() -> None:
    assert describe(tiny(processes__0__count=3)) == (288.0, ())


@pytest.mark.parametrize("path", ["/etc/hostname", "../secret.damo", "a/../../b.damo"])
def test_a_recording_lies_in_the_folder_of_its_scenario(path: str) -> None:
    with pytest.raises(
        ScenarioError, match=r"processes\.0\.recording = .*: should be a relative path"
    ):
        load_file("redis-hot10", {"processes.0.recording": path})


def test_a_recording_that_is_missing_or_broken_is_one_line(tmp_path: Path) -> None:
    text = scenario_path("redis-hot10").read_text()
    scenario = load_text(text, "mine", folder=tmp_path)
    (tmp_path / "recordings").mkdir()
    recording = tmp_path / "recordings" / "redis-hot10.damo"
    for content in (None, b"", b"not a recording", scenario_recording().read_bytes()[:5000]):
        if content is not None:
            recording.write_bytes(content)
        with pytest.raises(
            ScenarioError, match=r"^mine: processes\.0\.recording = '.*redis-hot10\.damo': "
        ) as caught:
            build(scenario, 1)
        assert len(str(caught.value).splitlines()) == 1


def scenario_recording() -> Path:
    return scenario_path("redis-hot10").parent / "recordings" / "redis-hot10.damo"


def test_a_preset_sets_knobs_and_what_the_scenario_says_wins() -> None:
    values = tiny(preset="kmmscand_v1", pte_scan__scan_period_min_ms=450).knob_values()
    assert values["pte_scan.scan_delay_ms"] == 1000
    assert values["pte_scan.scan_period_min_ms"] == 450
    assert values["migration.owner"] == "thread"
    assert values["migration.reserve"] == "none", "the file says so"
    assert tiny().knob_values()["pte_scan.scan_delay_ms"] == 0


def test_a_range_that_a_preset_closes_is_refused_by_its_value() -> None:
    with pytest.raises(ScenarioError) as error:
        tiny(preset="kmmscand_v1", pte_scan__scan_size_max_mib=128)
    assert str(error.value) == (
        "tiny: pte_scan.scan_size_min_mib = 256: should be at most scan_size_max_mib = 128"
    )


@pytest.mark.parametrize("preset", PRESETS)
def test_settings_of_a_preset_are_knobs_that_it_shows_and_differ_from_the_default(
    preset: str,
) -> None:
    for section, knobs in PRESETS[preset].settings.items():
        assert section in sections(PRESETS[preset].rooms)
        specs = knob_specs(section, SECTIONS[section])
        assert all(specs[name].default != value for name, value in knobs.items())
    assert tiny(preset=preset).preset == preset


def test_a_scale_beyond_10_is_refused() -> None:
    assert problem(processes__0__scan_scale=11).startswith("tiny: processes.0.scan_scale = 11: ")
