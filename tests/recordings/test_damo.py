import json
import os
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.recordings.records import MIB, packed, record
from tiering.recordings import damo
from tiering.recordings.damo import RecordingError, parse_recording, read_recording

SHIPPED = Path(__file__).parents[2] / "scenarios" / "recordings"
VALID = packed(record())


def problem(raw: bytes) -> str:
    with pytest.raises(RecordingError) as caught:
        parse_recording("r.damo", raw)
    return str(caught.value)


def damaged(key: str, value: Any) -> bytes:
    """The valid record with one key of region 1 of snapshot 0 replaced."""
    document = record()
    document[0]["snapshots"][0]["regions"][1][key] = value
    return packed(document)


@pytest.mark.parametrize("raw", [VALID, zlib.decompress(VALID), b"\n " + zlib.decompress(VALID)])
def test_a_record_is_read_compressed_or_not(raw: bytes) -> None:
    recording = parse_recording("r.damo", raw)
    assert (recording.sample_interval_s, recording.aggregation_interval_s) == (0.05, 1.0)
    assert recording.max_nr_accesses == 20
    assert recording.start_ns.tolist() == [5e9, 6e9]
    assert recording.end_ns.tolist() == [6e9, 7e9]
    first, second = recording.snapshots
    assert first.start.tolist() == [4096 * MIB, 4100 * MIB]
    assert first.end.tolist() == [4100 * MIB, 4200 * MIB]
    assert first.nr_accesses.tolist() == [3, 0]
    assert second.nr_accesses.tolist() == [20]


@pytest.mark.parametrize(
    ("accesses", "seen"), [(7, 7), ("1,234", 1234), (7.0, 7), ({"samples": "7"}, 7)]
)
def test_numbers_come_in_several_spellings(accesses: Any, seen: int) -> None:
    recording = parse_recording("r.damo", damaged("nr_accesses", accesses))
    assert recording.snapshots[0].nr_accesses.tolist() == [3, seen]


@pytest.mark.parametrize(
    ("name", "snapshots", "most"),
    [("redis-hot10", 63, 2556), ("rocksdb-skew", 65, 1919), ("redis-zipf", 568, 19)],
)
def test_every_shipped_recording_is_read(name: str, snapshots: int, most: int) -> None:
    recording = read_recording(SHIPPED / f"{name}.damo")
    assert len(recording.snapshots) == snapshots
    assert max(regions.start.size for regions in recording.snapshots) == most


@pytest.mark.parametrize(
    ("key", "value", "shown"),
    [
        ("start", "4,29", "'4,29'"),
        ("start", -1, "-1"),
        ("end", None, "nothing"),
        ("end", 1e400, "inf"),
        ("end", "9" * 60, "'" + "9" * 36 + "..."),
        ("nr_accesses", True, "True"),
        ("nr_accesses", 2**21, "2097152"),
        ("nr_accesses", {"percent": 5}, "nothing"),
        ("nr_accesses", [1], "a list of 1"),
        ("start", "\u0661", "'\u0661'"),
    ],
)
def test_a_bad_number_is_named_with_its_place(key: str, value: Any, shown: str) -> None:
    message = problem(damaged(key, value))
    assert message.startswith(f"r.damo: snapshot 0, region 1: {key} = {shown}: allowed is a whole")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"intervals": None}, "r.damo: intervals: an object is needed, not nothing"),
        ({"snapshots": {}}, "r.damo: snapshots: a list is needed, not an object of 0"),
        ({"snapshots": []}, "r.damo: holds no snapshots"),
        ({"snapshots": [3]}, "r.damo: snapshot 0: an object is needed, not 3"),
        (
            {"intervals": {"sample_us": 0, "aggr_us": 5}},
            "r.damo: intervals: sample_us = 0, aggr_us = 5: allowed is 0 < sample_us <= aggr_us, "
            "at most 1,048,576 samples an aggregation",
        ),
        (
            {"snapshots": [{"start_time": 5, "end_time": 4, "regions": []}]},
            "r.damo: snapshot 0: ends at 4 ns, before its start at 5 ns",
        ),
    ],
)
def test_a_bad_record_is_one_sentence(changes: dict[str, Any], message: str) -> None:
    assert problem(packed(record(**changes))) == message


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({}, "r.damo: a damo record is a list of records, not an object of 0"),
        ([], "r.damo: a damo record is a list of records, not a list of 0"),
        (
            record() + record(),
            "r.damo: holds 2 records (targets), only one can be replayed",
        ),
    ],
)
def test_a_file_holds_one_record(document: Any, message: str) -> None:
    assert problem(packed(document)) == message


def test_an_inverted_region_is_named() -> None:
    assert problem(damaged("end", "4,096")) == (
        "r.damo: snapshot 0, region 1: ends at 4096, not after its start at 4299161600"
    )


@pytest.mark.parametrize(
    ("raw", "part"),
    [
        (b"PERFILE2 and so on", "neither zlib-compressed nor plain JSON"),
        (VALID[:-9], "truncated, its zlib data end after"),
        (VALID + b"tail", "4 bytes of something else follow the zlib data"),
        (b"\x78\x9c\xff\xff", "damaged zlib data"),
        (zlib.compress(b'[{"a": '), "not valid JSON"),
        (zlib.compress(b"[\xff]"), "not valid JSON"),
        (zlib.compress(b"[" * 200_000), "nested too deeply"),
        (zlib.compress(b"[" + b"9" * 5000 + b"]"), "not valid JSON"),
    ],
)
def test_what_is_no_damo_record_is_said_in_one_line(raw: bytes, part: str) -> None:
    message = problem(raw)
    assert message.startswith("r.damo: ")
    assert part in message
    assert "\n" not in message


def test_a_small_file_that_unpacks_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(damo, "MAX_BYTES", 2**20)
    bomb = zlib.compress(b" " * 2**24)
    assert len(bomb) < 2**20
    assert problem(bomb) == "r.damo: unpacks to more than 1 MiB, the most that is read"


def test_files_that_cannot_be_read_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty.damo").touch()
    os.mkfifo(tmp_path / "pipe.damo")
    for name, part in [
        ("none.damo", "there is no such file in"),
        (".", "there is no such file in"),
        ("pipe.damo", "there is no such file in"),
        ("a\0b", "there is no such file in"),
        ("empty.damo", "the file is empty"),
    ]:
        with pytest.raises(RecordingError, match=part):
            read_recording(tmp_path / name)
    monkeypatch.setattr(damo, "MAX_BYTES", 2**20)
    (tmp_path / "large.damo").write_bytes(bytes(2**20 + 1))
    with pytest.raises(RecordingError, match=r"recording large.damo: larger than 1 MiB"):
        read_recording(tmp_path / "large.damo")


@settings(max_examples=300)
@given(st.data())
def test_a_damaged_file_gives_a_recording_or_one_sentence(data: st.DataObject) -> None:
    compressed = data.draw(st.booleans())
    raw = bytearray(VALID if compressed else json.dumps(record()).encode())
    for at in data.draw(st.lists(st.integers(0, len(raw) - 1), max_size=4)):
        raw[at] = data.draw(st.integers(0, 255))
    raw = raw[: data.draw(st.integers(0, len(raw)) | st.just(len(raw)))]
    message = ""
    found = None
    try:
        found = parse_recording("r.damo", bytes(raw))
    except RecordingError as error:
        message = str(error)
    if found is None:
        assert message.startswith("r.damo")
        assert "\n" not in message
    else:
        assert len(found.snapshots) == found.start_ns.size > 0
