import json
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.simulation.scenarios import TINY
from tiering.cli.entry import main
from tiering.model.block import Block
from tiering.simulation.checkpoint import restore
from tiering.simulation.loop import Simulation


@pytest.fixture
def tiny(tmp_path: Path) -> str:
    path = tmp_path / "tiny.toml"
    path.write_text(TINY)
    return str(path)


@pytest.fixture
def file(tmp_path: Path) -> str:
    return str(tmp_path / "tiny.checkpoint")


def figures(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """The object that `--json` printed, without the wall time."""
    result: dict[str, Any] = json.loads(capsys.readouterr().out)
    result.pop("wall_s")
    return result


def interrupt_at(step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Press Ctrl-C in the middle of a block."""
    whole_block = Simulation.next_block

    def interrupted(simulation: Simulation) -> Block:
        if simulation._step == step:
            signal.raise_signal(signal.SIGINT)
        return whole_block(simulation)

    monkeypatch.setattr(Simulation, "next_block", interrupted)


def test_a_run_in_three_parts_ends_with_the_figures_of_the_whole(
    tiny: str, file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", tiny, "--json", "--seed", "4", "--until", "9"]) == 0
    whole = figures(capsys)
    first = ["run", tiny, "--json", "--seed", "4", "--until", "2.5", "--checkpoint", file]
    assert main(first) == 0
    assert figures(capsys)["simulated_s"] == 2.5
    second = ["run", "--json", "--resume", file, "--until", "5", "--checkpoint", file]
    assert main(second) == 0
    assert figures(capsys)["simulated_s"] == 5.0
    assert main(["run", "--json", "--resume", file, "--until", "9"]) == 0
    assert figures(capsys) == whole


def test_the_events_of_the_parts_are_the_events_of_the_whole(
    tiny: str, file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def events() -> list[str]:
        lines = capsys.readouterr().out.splitlines()
        return [line for line in lines if line.startswith("[")]

    work = ["--set", "processes.0.work_accesses=1e7"]
    main(["run", tiny, *work, "--until", "12"])
    whole = events()
    main(["run", tiny, *work, "--until", "0.1", "--checkpoint", file])
    parts = events()
    main(["run", "--resume", file, "--until", "12"])
    assert parts + events() == whole
    assert 0 < len(parts) < len(whole)


def test_people_are_told_where_the_state_is_and_how_to_go_on(
    tiny: str, file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", tiny, "--until", "1", "--checkpoint", file]) == 0
    assert f"checkpoint  {file}, 0." in capsys.readouterr().out
    assert main(["run", "--resume", file]) == 0
    assert capsys.readouterr().err == f"{file}: its time was up already; --until S goes on\n"


def test_a_state_that_cannot_be_saved_costs_the_checkpoint_and_not_the_result(
    tiny: str, file: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    init = Simulation.__init__

    def with_a_set(simulation: Simulation, *arguments: Any) -> None:
        init(simulation, *arguments)
        vars(simulation)["unknown"] = {1}

    monkeypatch.setattr(Simulation, "__init__", with_a_set)
    assert main(["run", tiny, "--json", "--until", "1", "--checkpoint", file]) == 2
    captured = capsys.readouterr()
    assert json.loads(captured.out)["simulated_s"] == 1.0
    assert captured.err == "simulation.unknown: cannot be saved: a checkpoint holds no set\n"


def test_ctrl_c_stops_after_the_block_and_the_rest_is_the_same(
    tiny: str, file: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["run", tiny, "--json"]) == 0
    whole = figures(capsys)
    interrupt_at(7, monkeypatch)
    before = signal.getsignal(signal.SIGINT)
    assert main(["run", tiny, "--json", "--checkpoint", file]) == 130
    assert signal.getsignal(signal.SIGINT) is before
    captured = capsys.readouterr()
    assert captured.err == f"interrupted at 1.6 s; go on: run --resume {file}\n"
    assert json.loads(captured.out)["ended"] == "stopped"
    assert restore(file).time_ns == 1_600_000_000
    assert main(["run", "--json", "--resume", file]) == 0
    assert figures(capsys) == whole


def test_ctrl_c_without_a_checkpoint_interrupts_at_once(
    tiny: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupt_at(2, monkeypatch)
    assert main(["run", tiny, "--json"]) == 130
    assert capsys.readouterr() == ("", "interrupted\n")


def test_the_end_of_finished_work_is_saved_too(
    tiny: str, file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    work = ["--set", "processes.0.work_accesses=1e6"]
    assert main(["run", tiny, "--json", *work, "--checkpoint", file]) == 0
    done = figures(capsys)
    assert done["ended"] == "work done"
    assert main(["run", "--json", "--resume", file, "--until", "100"]) == 0
    assert figures(capsys) == done


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["run"], "run: give either a SCENARIO or --resume FILE"),
        (["run", "TINY", "--resume", "FILE"], "run: give either a SCENARIO or --resume FILE"),
        (["run", "--resume", "TINY"], "tiny.toml: no checkpoint, damaged or cut short"),
        (["run", "--resume", "nowhere"], "nowhere: cannot be read: No such file or directory"),
        (["run", "--resume", "FILE", "--seed", "3"], "--seed: a resumed run goes on with"),
        (["run", "--resume", "FILE", "--set", "sample_ms=20"], "--set: a resumed run goes on"),
        (["run", "--resume", "FILE", "--until", "0.2"], "until_s = 0.2: it is at 0.5 s"),
        (
            ["run", "--resume", "FILE", "--until", "x"],
            "tiny: until_s = 'x': allowed is more than 0, ",
        ),
        (["run", "TINY", "--checkpoint", "no/where/x"], "no/where/x: a checkpoint cannot be"),
        (
            ["run", "TINY", "--until", "1.05", "--checkpoint", "FILE"],
            "until_s = 1.05: a run with a checkpoint should end at a sample, a multiple of",
        ),
    ],
)
def test_a_mistake_is_one_clear_line_and_exit_code_2(
    tiny: str, file: str, arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["run", tiny, "--json", "--until", "0.5", "--checkpoint", file])
    capsys.readouterr()
    assert main([{"TINY": tiny, "FILE": file}.get(a, a) for a in arguments]) == 2
    captured = capsys.readouterr()
    assert words in captured.err
    assert len(captured.err.splitlines()) == 1
    assert captured.out == ""
