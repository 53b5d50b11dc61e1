"""Reader of `damo record` files (docs/recordings.md).

The format is zlib-compressed JSON: a list of records, each with intervals and snapshots; a snapshot
has start_time, end_time (ns) and regions with start, end (bytes) and nr_accesses. Numbers are often
strings with thousands separators. Checked with files of damo 3.4.3; plain JSON is taken too.
"""

import json
import math
import re
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

MAX_BYTES = 256 * 2**20
"""Largest JSON text that is read; parsing takes several times as much memory."""
MAX_ADDRESS = 2**62
MAX_TIME_NS = 2**62
MAX_SAMPLES = 2**20  # samples of one aggregation
_WHOLE = re.compile(r"[0-9]{1,3}(,[0-9]{3}){1,6}|[0-9]{1,20}")
_SHOWN = 40  # characters of a bad value in an error message


class RecordingError(ValueError):
    """The file cannot be replayed; the text is one sentence naming file, place and problem."""


class Regions(NamedTuple):
    """What DAMON reported in one snapshot: arrays of equal length, in the order of the file.

    start, end: u64[R] addresses in bytes, start < end. nr_accesses: i64[R] samples in which the
    region's page was found accessed.
    """

    start: NDArray[np.uint64]
    end: NDArray[np.uint64]
    nr_accesses: NDArray[np.int64]


@dataclass(frozen=True)
class Recording:
    """One monitored target. start_ns, end_ns: f64[K] on the recording machine's clock."""

    name: str
    sample_interval_s: float
    aggregation_interval_s: float
    start_ns: NDArray[np.float64]
    end_ns: NDArray[np.float64]
    snapshots: tuple[Regions, ...]

    @property
    def max_nr_accesses(self) -> float:
        """Samples of one aggregation: DAMON's largest nr_accesses."""
        return self.aggregation_interval_s / self.sample_interval_s


def read_recording(path: Path) -> Recording:
    """Read a damo record file. Raises RecordingError whatever else the file may be."""
    name = f"recording {path.name}"
    try:
        if not path.is_file():
            raise RecordingError(f"{name}: there is no such file in {path.parent}")
        raw = _read_bounded(name, path)
    except OSError as error:
        raise RecordingError(f"{name}: cannot be read: {error.strerror or error}") from error
    return parse_recording(name, raw)


def parse_recording(name: str, raw: bytes) -> Recording:
    """Read the bytes of a damo record file; `name` begins every error."""
    text = _plain_text(name, raw)
    try:
        document = json.loads(text)
    except RecursionError as error:
        raise RecordingError(f"{name}: its JSON is nested too deeply") from error
    except ValueError as error:  # JSON, UTF-8 and numbers of too many digits
        raise RecordingError(f"{name}: not valid JSON: {_shown(str(error), 80)}") from error
    return _recording(name, document)


def _read_bounded(name: str, path: Path) -> bytes:
    with path.open("rb") as file:
        raw = file.read(MAX_BYTES + 1)
    if len(raw) > MAX_BYTES:
        raise RecordingError(f"{name}: larger than {MAX_BYTES >> 20} MiB, the most that is read")
    if not raw:
        raise RecordingError(f"{name}: the file is empty")
    return raw


def _plain_text(name: str, raw: bytes) -> bytes:
    if raw.lstrip()[:1] in (b"[", b"{"):
        return raw
    if raw[:1] != b"\x78":  # the first byte of every zlib stream that damo writes
        raise RecordingError(f"{name}: neither zlib-compressed nor plain JSON, so no damo record")
    unpacker = zlib.decompressobj()
    try:
        text = unpacker.decompress(raw, MAX_BYTES + 1)
    except zlib.error as error:
        raise RecordingError(f"{name}: damaged zlib data: {error}") from error
    if len(text) > MAX_BYTES:
        raise RecordingError(
            f"{name}: unpacks to more than {MAX_BYTES >> 20} MiB, the most that is read"
        )
    if not unpacker.eof:
        raise RecordingError(f"{name}: truncated, its zlib data end after {len(text):,} bytes")
    if unpacker.unused_data:
        raise RecordingError(
            f"{name}: {len(unpacker.unused_data):,} bytes of something else follow the zlib data"
        )
    return text


def _recording(name: str, document: Any) -> Recording:
    if not isinstance(document, list) or not document:
        raise RecordingError(f"{name}: a damo record is a list of records, not {_shown(document)}")
    if len(document) > 1:
        raise RecordingError(
            f"{name}: holds {len(document)} records (targets), only one can be replayed"
        )
    record = _mapping(f"{name}: record 0", document[0])
    where = f"{name}: intervals"
    intervals = _mapping(where, record.get("intervals"))
    sample_us = _whole(f"{where}: sample_us", intervals.get("sample_us"), MAX_TIME_NS // 1000)
    aggr_us = _whole(f"{where}: aggr_us", intervals.get("aggr_us"), MAX_TIME_NS // 1000)
    if not 0 < sample_us <= aggr_us <= sample_us * MAX_SAMPLES:
        raise RecordingError(
            f"{where}: sample_us = {sample_us}, aggr_us = {aggr_us}: allowed is "
            f"0 < sample_us <= aggr_us, at most {MAX_SAMPLES:,} samples an aggregation"
        )
    snapshots = _items(f"{name}: snapshots", record.get("snapshots"))
    if not snapshots:
        raise RecordingError(f"{name}: holds no snapshots")
    times = np.empty((2, len(snapshots)))
    regions = []
    for k, item in enumerate(snapshots):
        where = f"{name}: snapshot {k}"
        snapshot = _mapping(where, item)
        start = _whole(f"{where}: start_time", snapshot.get("start_time"), MAX_TIME_NS)
        end = _whole(f"{where}: end_time", snapshot.get("end_time"), MAX_TIME_NS)
        if end < start:
            raise RecordingError(f"{where}: ends at {end} ns, before its start at {start} ns")
        times[:, k] = start, end
        regions.append(_regions(where, snapshot.get("regions")))
    return Recording(name, sample_us / 1e6, aggr_us / 1e6, times[0], times[1], tuple(regions))


def _regions(where: str, value: Any) -> Regions:
    items = _items(f"{where}: regions", value)
    starts, ends, counts = [], [], []
    for i, item in enumerate(items):
        at = f"{where}, region {i}"
        region = _mapping(at, item)
        start = _whole(f"{at}: start", region.get("start"), MAX_ADDRESS)
        end = _whole(f"{at}: end", region.get("end"), MAX_ADDRESS)
        if end <= start:
            raise RecordingError(f"{at}: ends at {end}, not after its start at {start}")
        accesses = region.get("nr_accesses")
        if isinstance(accesses, dict):
            accesses = accesses.get("samples")
        starts.append(start)
        ends.append(end)
        counts.append(_whole(f"{at}: nr_accesses", accesses, MAX_SAMPLES))
    return Regions(
        np.array(starts, np.uint64), np.array(ends, np.uint64), np.array(counts, np.int64)
    )


def _mapping(where: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise RecordingError(f"{where}: an object is needed, not {_shown(value)}")
    return value


def _items(where: str, value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise RecordingError(f"{where}: a list is needed, not {_shown(value)}")
    return value


def _whole(where: str, value: Any, largest: int) -> int:
    """A whole number 0 .. largest from a number or a string such as '4,294,967,296'."""
    number = -1
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        number = int(value.replace(",", ""))
    elif isinstance(value, int) and not isinstance(value, bool):
        number = value
    elif isinstance(value, float) and math.isfinite(value) and value.is_integer():
        number = int(value)
    if not 0 <= number <= largest:
        raise RecordingError(
            f"{where} = {_shown(value)}: allowed is a whole number 0 .. {largest:_}"
        )
    return number


def _shown(value: Any, most: int = _SHOWN) -> str:
    """A short, printable, one-line form of a value from the file."""
    if value is None:
        return "nothing"
    if isinstance(value, list | dict):
        kind = "a list" if isinstance(value, list) else "an object"
        return f"{kind} of {len(value)}"
    text = value if most != _SHOWN else repr(value)
    text = "".join(letter if letter.isprintable() else "?" for letter in text)
    return text if len(text) <= most else text[: most - 3] + "..."
