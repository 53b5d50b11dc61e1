"""The runs of a real server on which nobody works."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.simulation.scenarios import TINY
from tiering.cli.entry import main
from tiering.stream.embedded import EmbeddedServer
from tiering.stream.memory_bus import MemoryBus
from tiering.stream.redis_bus import RedisBus, connect
from tiering.work import listing
from tiering.work.listing import all_rows
from tiering.work.submit import Jobs, make_queue


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServer]:
    embedded = EmbeddedServer(tmp_path_factory.mktemp("redis"))
    embedded.start()
    yield embedded
    embedded.stop()


@pytest.fixture
def three(server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """REDIS_URL names a server with a run that is done, one that failed and one that waits."""
    monkeypatch.setenv("REDIS_URL", server.url)
    with connect(server.url) as client:
        bus = RedisBus(client)
        jobs = Jobs(bus, make_queue(client))
        changed: dict[str, Any] = {"until_s": 4.0}
        ids = [jobs.submit(TINY, name, 1, changed) for name in ("done", "failed", "waiting")]
        for nr, run_id in enumerate(ids):
            bus.update(run_id, 0, {"created_at": str(1000.0 + nr)})
        hits = {"summary": '{"figures":{"hit":42.04}}', "turned": '{"until_s":4,"a.b":1}'}
        bus.update(ids[0], 0, {"status": "done", "sim_ns": "4000000000", **hits})
        bus.update(ids[1], 0, {"status": "failed", "error": "Out of luck."})
        bus.describe(ids[0], {"tags": "paper v2"})
        bus.describe(ids[2], {"tags": "paper"})
        yield ids
        for run_id in bus.runs():
            jobs.delete(run_id)


def listed(capsys: pytest.CaptureFixture[str], *options: str) -> list[str]:
    assert main(["runs", *options]) == 0
    return [line.split()[0] for line in capsys.readouterr().out.splitlines()]


def test_runs_are_told_a_line_each_the_newest_first(
    three: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["runs"]) == 0
    lines = [re.split(r" {2,}", line) for line in capsys.readouterr().out.splitlines()]
    done, failed, waiting = three
    assert [line[0] for line in lines] == [waiting, failed, done]
    assert lines[0][1:6] == [
        "waiting: no worker is up", "waiting", "0 of 4 s", "no hits known", "1 changed"
    ]  # fmt: skip
    assert lines[1][1] == "failed"
    assert lines[2][1:6] == ["done", "done", "4 of 4 s", "42.0 % hits", "2 changed"]
    assert re.fullmatch(r"\d+ d ago", lines[2][6])
    assert lines[2][7:] == ["paper v2"]
    assert lines[1][7:] == []


def test_runs_are_chosen_by_status_tags_and_number(
    three: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    done, failed, waiting = three
    assert listed(capsys, "--status", "failed") == [failed]
    assert listed(capsys, "--status", "unfinished") == [waiting]
    assert listed(capsys, "--tag", "paper") == [waiting, done]
    assert listed(capsys, "--tag", "paper", "--tag", "v2") == [done]
    assert listed(capsys, "--limit", "2") == [waiting, failed]
    assert listed(capsys, "--tag", "nowhere") == []


def test_runs_as_json_are_an_object_a_line(
    three: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["runs", "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["run"] for row in rows] == three[::-1]
    assert rows[1]["error"] == "Out of luck."
    assert (rows[2]["figures"], rows[2]["tags"]) == ({"hit": 42.04}, ["paper", "v2"])


def test_delete_says_what_it_deleted_and_names_runs_that_are_unknown(
    three: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    done, failed, waiting = three
    assert main(["runs", "delete", done, waiting, done]) == 0
    assert capsys.readouterr().out.splitlines() == [f"{done}: deleted", f"{waiting}: deleted"]
    assert listed(capsys) == [failed]
    assert main(["runs", "delete", "nobody-1", failed]) == 2
    captured = capsys.readouterr()
    assert captured.err == "There is no run nobody-1.\n"
    assert captured.out == f"{failed}: deleted\n"


@pytest.mark.parametrize("command", [["runs"], ["runs", "delete", "tiny-1"]])
def test_without_a_server_there_is_one_sentence(
    command: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("REDIS_URL", raising=False)
    assert main(command) == 2
    assert capsys.readouterr().err == "No Redis given: use --redis URL or set REDIS_URL.\n"
    assert main([*command, "--redis", "nowhere"]) == 2
    assert "The Redis URL is not valid" in capsys.readouterr().err


@pytest.mark.parametrize("limit", ["0", "-1", "many", "1.5", "true"])
def test_a_limit_is_a_whole_number(limit: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", f"--limit={limit}"]) == 2
    assert f"--limit {limit}: should be a whole number" in capsys.readouterr().err


def test_a_run_that_changes_while_the_list_is_read_is_in_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Busy(MemoryBus):
        """The oldest run changes after the first part was read."""

        def listed(self, after: int, before: int | None, count: int) -> Any:
            part = super().listed(after, before, count)
            if before is None and not after:
                self.describe("run-0", {"note": "late"})
            return part

    monkeypatch.setattr(listing, "PART", 2)
    bus = Busy()
    for nr in range(5):
        bus.create(f"run-{nr}", {"created_at": str(nr)})
    rows = all_rows(bus)
    assert [row["run"] for row in rows] == [f"run-{nr}" for nr in (4, 3, 2, 1, 0)]
    assert rows[-1]["note"] == "late"
