"""One contract, two buses: every test here runs over both."""

import itertools
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from tiering.stream.bus import Bus, Fenced, Message, UnknownRun
from tiering.stream.embedded import EmbeddedServer
from tiering.stream.memory_bus import MemoryBus
from tiering.stream.redis_bus import RedisBus, connect

NUMBERS = itertools.count()
MakeBus = Callable[..., Bus]


@pytest.fixture(params=["memory", "redis"])
def make_bus(request: pytest.FixtureRequest) -> Iterator[MakeBus]:
    if request.param == "memory":
        yield MemoryBus
        return
    server: EmbeddedServer = request.getfixturevalue("server")
    with connect(server.url) as client:
        yield lambda **options: RedisBus(client, **options)


@pytest.fixture
def bus(make_bus: MakeBus) -> Bus:
    return make_bus()


@pytest.fixture
def run_id(bus: Bus) -> str:
    """A run that was just created."""
    name = f"run-{next(NUMBERS)}"
    bus.create(name, {"scenario": "tiny"})
    return name


def test_a_new_run_waits_and_belongs_to_nobody(bus: Bus, run_id: str) -> None:
    expected = {"scenario": "tiny", "status": "waiting", "attempt": "0"}
    assert bus.meta(run_id) == expected
    assert not bus.alive(run_id)


def test_an_id_is_given_only_once(bus: Bus, run_id: str) -> None:
    with pytest.raises(ValueError, match=f"already a run {run_id}"):
        bus.create(run_id, {})


def test_runs_are_listed_newest_first(bus: Bus) -> None:
    names = [f"run-{next(NUMBERS)}" for _ in range(3)]
    for name in names:
        bus.create(name, {})
    assert bus.runs()[:3] == names[::-1]


def test_an_unknown_run_is_named(bus: Bus) -> None:
    questions: list[Callable[[], object]] = [
        lambda: bus.meta("nobody"),
        lambda: bus.claim("nobody", "w"),
        lambda: bus.alive("nobody"),
        lambda: bus.last_step("nobody"),
        lambda: bus.send("nobody", {"cmd": "stop"}),
    ]
    for question in questions:
        with pytest.raises(UnknownRun, match="no run nobody"):
            question()


def test_a_claim_takes_the_next_number_and_begins_the_lease(bus: Bus, run_id: str) -> None:
    assert bus.claim(run_id, "first") == 1
    assert bus.claim(run_id, "second") == 2
    meta = bus.meta(run_id)
    assert (meta["attempt"], meta["worker"], meta["status"]) == ("2", "second", "waiting")
    assert bus.alive(run_id)


def test_an_older_attempt_can_write_nothing(bus: Bus, run_id: str) -> None:
    old = bus.claim(run_id, "zombie")
    new = bus.claim(run_id, "retry")
    bus.append(run_id, new, [(0, b"new")])
    for number in (0, old):
        writes: list[Callable[[int], None]] = [
            lambda a: bus.append(run_id, a, [(1, b"old")]),
            lambda a: bus.update(run_id, a, {"status": "done"}),
            lambda a: bus.renew(run_id, a),
            lambda a: bus.log_control(run_id, a, {"t_ns": 0}, "1"),
        ]
        for write in writes:
            with pytest.raises(Fenced, match=f"Attempt {number} no longer owns run {run_id}"):
                write(number)
    assert bus.read(run_id, -1, 10, 0) == [(0, b"new")]
    assert bus.control_log(run_id) == []
    assert "cursor" not in bus.meta(run_id)


def test_the_submitter_may_change_a_run_until_it_is_claimed(bus: Bus, run_id: str) -> None:
    bus.update(run_id, 0, {"status": "stopped"})
    assert bus.meta(run_id)["status"] == "stopped"
    assert not bus.alive(run_id)


def test_a_lease_runs_out_and_is_renewed_by_any_write(make_bus: MakeBus) -> None:
    bus = make_bus(lease_ms=40)
    run_id = f"run-{next(NUMBERS)}"
    bus.create(run_id, {})
    attempt = bus.claim(run_id, "w")
    signs_of_life: list[Callable[[], None]] = [
        lambda: bus.renew(run_id, attempt),
        lambda: bus.append(run_id, attempt, [(0, b"")]),
        lambda: bus.update(run_id, attempt, {}),
        lambda: bus.log_control(run_id, attempt, {}, "1"),
    ]
    for sign_of_life in signs_of_life:
        until(lambda: not bus.alive(run_id))
        sign_of_life()
        assert bus.alive(run_id)


def test_blocks_come_back_in_order_from_any_step(bus: Bus, run_id: str) -> None:
    attempt = bus.claim(run_id, "w")
    assert bus.last_step(run_id) == -1
    blocks = [(step, bytes([step, 0, 255])) for step in range(5)]
    bus.append(run_id, attempt, blocks[:3])
    bus.append(run_id, attempt, blocks[3:])
    assert bus.last_step(run_id) == 4
    assert bus.read(run_id, -1, 100, 0) == blocks
    assert bus.read(run_id, 2, 100, 0) == blocks[3:]
    assert bus.read(run_id, 0, 2, 0) == blocks[1:3]
    assert bus.read(run_id, 4, 100, 0) == []


def test_a_repeated_step_changes_nothing(bus: Bus, run_id: str) -> None:
    attempt = bus.claim(run_id, "w")
    bus.append(run_id, attempt, [(0, b"a"), (1, b"b")])
    bus.append(run_id, attempt, [(0, b"x"), (1, b"y"), (2, b"c"), (2, b"z")])
    assert bus.read(run_id, -1, 100, 0) == [(0, b"a"), (1, b"b"), (2, b"c")]


def test_a_reader_is_woken_by_the_next_block(bus: Bus, run_id: str) -> None:
    attempt = bus.claim(run_id, "w")
    begin = time.monotonic()
    writer = threading.Timer(0.05, bus.append, (run_id, attempt, [(0, b"a")]))
    writer.start()
    assert bus.read(run_id, -1, 10, 5000) == [(0, b"a")]
    assert 0.04 < time.monotonic() - begin < 4
    writer.join()


def test_a_read_without_news_ends_empty_after_its_wait(bus: Bus, run_id: str) -> None:
    begin = time.monotonic()
    assert bus.read(run_id, -1, 10, 60) == []
    assert bus.receive(run_id, "0", 60) == []
    assert time.monotonic() - begin >= 0.1


def test_messages_arrive_in_order_after_a_cursor(bus: Bus, run_id: str) -> None:
    messages: list[Message] = [{"cmd": "pause"}, {"cmd": "speed", "value": 10}, {"cmd": "stop"}]
    ids = [bus.send(run_id, message) for message in messages]
    assert bus.receive(run_id, "0", 0) == list(zip(ids, messages, strict=True))
    assert bus.receive(run_id, ids[1], 0) == [(ids[2], {"cmd": "stop"})]
    assert bus.receive(run_id, ids[2], 0) == []


def test_a_waiting_run_is_woken_by_a_message(bus: Bus, run_id: str) -> None:
    sender = threading.Timer(0.05, bus.send, (run_id, {"cmd": "resume"}))
    sender.start()
    assert [m for _, m in bus.receive(run_id, "0", 5000)] == [{"cmd": "resume"}]
    sender.join()


def test_the_control_log_and_its_cursor_are_written_together(bus: Bus, run_id: str) -> None:
    attempt = bus.claim(run_id, "w")
    entries = [{"t_ns": 200 * n, "knob": "pte_scan.scan_size_mib", "value": n} for n in range(3)]
    for n, entry in enumerate(entries):
        bus.log_control(run_id, attempt, entry, f"{n}-1")
        assert bus.meta(run_id)["cursor"] == f"{n}-1"
    assert bus.control_log(run_id) == entries


def test_a_deleted_run_is_gone_and_its_attempt_fenced(bus: Bus, run_id: str) -> None:
    attempt = bus.claim(run_id, "w")
    bus.append(run_id, attempt, [(0, b"a")])
    bus.delete(run_id)
    assert run_id not in bus.runs()
    assert bus.read(run_id, -1, 10, 0) == []
    with pytest.raises(UnknownRun):
        bus.meta(run_id)
    with pytest.raises(Fenced):
        bus.append(run_id, attempt, [(1, b"b")])
    bus.create(run_id, {})
    assert bus.last_step(run_id) == -1


def listed_ids(bus: Bus, after: int = 0, before: int | None = None, count: int = 1000) -> list[str]:
    return [run.run_id for run in bus.listed(after, before, count).runs]


def test_a_list_tells_what_changed_newest_change_first(bus: Bus) -> None:
    begin = bus.listed(0, None, 1).revision
    names = [f"run-{next(NUMBERS)}" for _ in range(3)]
    for name in names:
        bus.create(name, {"scenario": name, "scenario_toml": "long"})
    bus.update(names[0], 0, {"sim_ns": "5"})
    found = bus.listed(begin, None, 1000)
    assert [run.run_id for run in found.runs] == [names[0], names[2], names[1]]
    assert [run.revision for run in found.runs] == [begin + 4, begin + 3, begin + 2]
    assert (found.revision, found.total) == (begin + 4, len(bus.runs()))
    assert found.runs[0].meta == {"scenario": names[0], "status": "waiting", "sim_ns": "5"}


def test_a_long_list_is_read_part_by_part(bus: Bus) -> None:
    begin = bus.listed(0, None, 1).revision
    names = [f"run-{next(NUMBERS)}" for _ in range(5)]
    for name in names:
        bus.create(name, {})
    first = bus.listed(begin, None, 2)
    assert [run.run_id for run in first.runs] == [names[4], names[3]]
    assert listed_ids(bus, begin, first.runs[-1].revision, 2) == [names[2], names[1]]
    assert listed_ids(bus, begin, begin + 2) == [names[0]]
    assert listed_ids(bus, first.revision) == []


def test_a_sign_of_life_and_a_claim_are_no_change(bus: Bus, run_id: str) -> None:
    before = bus.listed(0, None, 1).revision
    attempt = bus.claim(run_id, "w")
    bus.renew(run_id, attempt)
    bus.update(run_id, attempt, {})
    bus.append(run_id, attempt, [(0, b"a")])
    assert listed_ids(bus, before) == []
    bus.update(run_id, attempt, {"status": "running"})
    assert listed_ids(bus, before) == [run_id]


def test_a_deleted_run_leaves_the_list(bus: Bus, run_id: str) -> None:
    before = bus.listed(0, None, 1000)
    bus.claim(run_id, "w")
    bus.delete(run_id)
    after = bus.listed(0, None, 1000)
    assert after.total == before.total - 1
    assert run_id not in [run.run_id for run in after.runs]
    assert run_id not in bus.leases()


def test_leases_tell_which_runs_lost_their_worker(make_bus: MakeBus) -> None:
    bus = make_bus(lease_ms=40)
    waiting, running, ended, lost = (f"run-{next(NUMBERS)}" for _ in range(4))
    for name in (waiting, running, ended, lost):
        bus.create(name, {})
    attempt = bus.claim(running, "w")
    bus.claim(lost, "w")
    bus.update(ended, bus.claim(ended, "w"), {"status": "done"})
    until(lambda: not bus.leases()[lost])
    bus.renew(running, attempt)
    known = bus.leases()
    assert (known[running], known[lost]) == (True, False)
    assert not {waiting, ended} & set(known)


def test_a_run_is_described_whoever_owns_it(bus: Bus, run_id: str) -> None:
    bus.claim(run_id, "w")
    before = bus.listed(0, None, 1).revision
    bus.describe(run_id, {"name": "My run", "tags": "paper v2", "note": "odd"})
    (run,) = bus.listed(before, None, 10).runs
    assert (run.run_id, run.meta["name"], run.meta["tags"]) == (run_id, "My run", "paper v2")
    with pytest.raises(UnknownRun):
        bus.describe("nobody", {"name": "x"})


def finished(bus: Bus, nr: int) -> list[str]:
    """So many ended runs with a block each, oldest first, and no other runs."""
    for run_id in bus.runs():
        bus.delete(run_id)
    names = [f"run-{next(NUMBERS)}" for _ in range(nr)]
    for name in names:
        bus.create(name, {"schema": "{}"})
        attempt = bus.claim(name, "w")
        bus.append(name, attempt, [(0, b"a")])
        bus.update(name, attempt, {"status": "done", "summary": "{}"})
    return names


def test_old_runs_lose_their_rows_first_and_then_are_forgotten(bus: Bus) -> None:
    names = finished(bus, 5)
    bus.expire(keep_rows=2, keep_runs=4)
    assert bus.runs() == names[:0:-1]
    assert [bus.last_step(name) for name in names[1:]] == [-1, -1, 0, 0]
    meta = bus.meta(names[1])
    assert (meta["rows"], meta["schema"], meta["summary"]) == ("gone", "", "{}")
    assert "rows" not in bus.meta(names[3])
    changed = bus.listed(0, None, 100).revision
    bus.expire(keep_rows=2, keep_runs=4)  # a second time changes nothing
    assert bus.listed(0, None, 100).revision == changed


def test_tagged_and_unfinished_runs_keep_everything(bus: Bus) -> None:
    tagged, _, new = finished(bus, 3)
    waiting = f"run-{next(NUMBERS)}"
    bus.create(waiting, {})
    bus.describe(tagged, {"tags": "keep"})
    bus.expire(keep_rows=0, keep_runs=1)
    assert bus.runs() == [waiting, new, tagged]
    assert [bus.last_step(name) for name in (tagged, new)] == [0, -1]
    bus.describe(tagged, {"tags": ""})
    bus.expire(keep_rows=0, keep_runs=1)
    assert bus.runs() == [waiting, new]


def until(condition: Callable[[], bool], timeout_s: float = 5.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true"
        time.sleep(0.002)
