import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.tree import ROOT
from tests.simulation.scenarios import TINY
from tiering.cli.entry import main
from tiering.simulation.catalogue import scenario_names
from tiering.simulation.presets import PRESETS


@pytest.fixture
def tiny(tmp_path: Path) -> str:
    path = tmp_path / "tiny.toml"
    path.write_text(TINY)
    return str(path)


def test_scenarios_lists_every_shipped_scenario_with_its_question(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["scenarios"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == scenario_names()
    assert all(line.endswith("?") for line in lines)


def test_presets_lists_every_preset_with_its_rooms_and_meaning(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["presets"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(PRESETS)
    for line, preset in zip(lines, PRESETS.values(), strict=True):
        assert f" {preset.rooms} " in line
        assert line.endswith(f"  {preset.meaning}")


def test_check_expect_prints_each_check_with_its_number_and_fails_on_a_miss(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "tiny.toml"
    claims = "checks = ['promoted_mib > 0', 'promoted_mib < 0.5 * none:promoted_mib']"
    more = "[expect.variants]\nnone = { preset = 'none' }\n[expect.run]\nuntil_s = 2.0\n"
    path.write_text(f"{TINY}\n[expect]\nanswer = 'It rises.'\n{claims}\n{more}")
    assert main(["check", str(path), "--expect"]) == 1
    first, ok, missed = capsys.readouterr().out.splitlines()
    assert first == "tiny: It rises."
    assert ok.startswith("  ok      promoted_mib > 0: ")
    assert missed.startswith("  missed  promoted_mib < 0.5 * none:promoted_mib: ")
    assert missed.endswith(" against 0")
    unknown = "expect.checks=['none:no_such > 1']"
    assert main(["check", str(path), "--expect", "--set", unknown]) == 2
    assert "there is no figure no_such; there is elapsed_s, " in capsys.readouterr().err


def test_run_json_prints_one_object_with_the_promised_keys(
    tiny: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", tiny, "--json", "--seed", "5", "--until", "3"]) == 0
    result = json.loads(capsys.readouterr().out)
    keys = {"scenario", "seed", "version", "wall_s", "elapsed_s", "counters", "metrics"}
    assert keys <= result.keys()
    assert (result["scenario"], result["seed"], result["simulated_s"]) == ("tiny", 5, 3.0)
    assert result["counters"]["pgpromote_success"] > 0


def test_two_runs_differ_in_wall_time_only(tiny: str, capsys: pytest.CaptureFixture[str]) -> None:
    results = []
    for _ in range(2):
        main(["run", tiny, "--json"])
        result = json.loads(capsys.readouterr().out)
        assert result.pop("wall_s") > 0
        results.append(result)
    assert results[0] == results[1]


def test_run_prints_events_and_figures_for_people(
    tiny: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", tiny, "--set", "processes.0.work_accesses=1e6"]) == 0
    out = capsys.readouterr().out
    assert "kmmscand: mm app useful 24576 period 2000 -> 400 ms" in out
    assert "app: work done" in out
    assert "pgpromote_success" in out


def test_set_changes_a_knob(tiny: str, capsys: pytest.CaptureFixture[str]) -> None:
    main(["run", tiny, "--json", "--set", "pte_scan.scan_enabled=false"])
    assert json.loads(capsys.readouterr().out)["metrics"]["nr_visits"] == 0


def test_check_says_what_the_scenario_is(tiny: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", tiny]) == 0
    out = capsys.readouterr().out
    assert "tiny: ok; preset kmmscand_v0, 1 processes, 96 MiB in 24,576 folios" in out


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["run", "nowhere"], "nowhere: no such scenario"),
        (["run", "TINY", "--seed", "-1"], "--seed -1: should be a whole number"),
        (["run", "TINY", "--seed", "x"], "--seed x: should be a whole number"),
        (
            ["run", "TINY", "--until", "0"],
            "tiny.toml: until_s = 0: allowed is more than 0, at most",
        ),
        (["run", "TINY", "--set", "pte_scan"], "--set pte_scan: should be KEY=VALUE"),
        (["run", "TINY", "--set", "pte_scan.x=1"], "tiny.toml: pte_scan.x: unknown key"),
        (
            ["check", "TINY", "--set", "processes.0.vmas.0.size_mib=4000"],
            "VMA heap of 4000 MiB does not fit",
        ),
        (["bench", "--only", "nothing*"], "--only nothing*: matches none of"),
    ],
)
def test_a_mistake_is_one_clear_line_and_exit_code_2(
    tiny: str, arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([tiny if a == "TINY" else a for a in arguments]) == 2
    captured = capsys.readouterr()
    assert words in captured.err
    assert len(captured.err.splitlines()) == 1
    assert captured.out == ""


def refuse_constant(name: str) -> float:
    raise AssertionError(f"{name} is no JSON")


@pytest.mark.parametrize("preset", ["none", "kmmscand_v0", "oracle"])
def test_a_run_that_memory_ran_out_for_is_one_json_object(
    preset: str, tiny: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The process starts in the middle of the run, finds no room and is killed."""
    sets = ("nodes.1.capacity_mib=64", "processes.0.start_s=1.0", f"preset={preset}")
    arguments = [part for one in sets for part in ("--set", one)]
    assert main(["run", tiny, "--json", *arguments]) == 0
    result = json.loads(capsys.readouterr().out, parse_constant=refuse_constant)
    assert result["ended"] == "out of memory"
    assert result["elapsed_s"] is None


def test_figures_for_people_have_units(tiny: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", tiny, "--until", "5"]) == 0
    shown = {line.split()[0]: line.split()[1:] for line in capsys.readouterr().out.splitlines()}
    for name, unit in (
        ("mean_throughput", "accesses/s"),
        ("promoted_mib", "MiB"),
        ("candidate_age_max_ms", "ms"),
        ("thread_busy_s[kmmscand]", "s"),
        ("full_scan_ms[p99]", "ms"),
        ("nr_scanned", "PTEs"),
        ("accesses", "accesses"),
        ("pgpromote_success", "pages"),
        ("pgmigrate_fail", "folios"),
    ):
        assert shown[name][1:] == [unit]
    assert len(shown["top_tier_share"]) == len(shown["full_scan_ms[nr]"]) == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a full device")
@pytest.mark.parametrize("command", [["scenarios"], ["run", "TINY", "--until", "1"]])
def test_output_that_cannot_be_written_is_one_sentence(tiny: str, command: list[str]) -> None:
    arguments = [tiny if part == "TINY" else part for part in command]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "tiering", *arguments], stdout=full, stderr=subprocess.PIPE,
            cwd=ROOT, text=True, check=False,
        )  # fmt: skip
    assert done.stderr == "standard output: cannot be written: No space left on device\n"
    assert done.returncode == 1


def test_bench_prints_a_json_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--only", "encode", "--json"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    figure = json.loads(line)
    assert figure["name"] == "encode"
    assert figure["value"] > 0
    assert figure["unit"]


def test_an_unknown_command_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["fly"])
    assert caught.value.code == 2
    assert "invalid choice" in capsys.readouterr().err
