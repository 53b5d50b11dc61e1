from pathlib import Path

import pytest

from tiering.cli import bench_memory
from tiering.cli.bench_memory import POSTED, _folio_bytes, peak_bytes


@pytest.mark.parametrize(("changes", "size"), [(POSTED, 4.0), ({}, 6.0)])
def test_a_folio_takes_its_word_and_a_stamp_where_demotion_asks_for_it(
    changes: dict[str, object], size: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench_memory, "NR_MMS", 2)
    monkeypatch.setattr(bench_memory, "MM_MIB", 2048)
    figure = _folio_bytes(changes, 4.0)
    assert figure.value == size
    assert figure.met is (size <= 4.0)
    assert figure.note.startswith("1,048,576 folios; ")


def test_the_peak_is_what_the_kernel_says_and_more_than_an_interpreter(tmp_path: Path) -> None:
    status = tmp_path / "status"
    status.write_text("Name:\tx\nVmPeak:\t  9 kB\nVmHWM:\t  1234 kB\nVmRSS:\t  5 kB\n")
    assert peak_bytes(status) == 1234 * 1024
    assert peak_bytes() > 10_000_000
    assert peak_bytes(tmp_path / "none") > 10_000_000


def test_the_peak_is_that_of_the_process_that_simulates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_memory, "HOST", "first-light")
    ballast = bytearray(b"x" * 2**30)  # what the new process would inherit as its peak
    figure = bench_memory._host_peak()
    assert ballast[-1]
    assert 0.05 < figure.value < 1.0
    assert figure.note.startswith("resident, first-light for 1 s")
