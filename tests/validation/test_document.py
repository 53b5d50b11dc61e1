from pathlib import Path

from tests.house.tree import ROOT
from tiering.validation import abench, pmbench
from tiering.validation.document import document

RUNS: abench.Runs = {
    ("base", 8): [abench.Run(133.66, 0.9, 65.0)] * 2,
    ("patched", 8): [abench.Run(113.0, 2.7, 11.0), abench.Run(115.0, 2.7, 11.0)],
    ("base", 32): [abench.Run(584.77, 4.8, 149.0)] * 2,
    ("patched", 32): [abench.Run(600.0, 23.0, 109.0)] * 2,
}
STEPS = {name: [pmbench.Step(score, 100.0)] * 2 for name, score in zip(
    pmbench.STEPS, (70.0, 140.0, 155.0, 150.0, 149.0), strict=True
)}  # fmt: skip
TEXT = document(RUNS, STEPS, 2)


def row(begin: str) -> str:
    lines = [line for line in TEXT.splitlines() if line.startswith(f"| {begin}")]
    assert len(lines) == 1, begin
    return lines[0]


def test_inputs_are_marked_and_named() -> None:
    assert row("8 GB, patched").endswith(
        "| 113.77 | 114.00 ± 1.00 | input: fixes `nodes.0.latency_ns` |"
    )
    assert row("32 GB, base |").endswith("| input: fixes `machine.walk_memory_ns` |")
    assert row("32 GB, patched").endswith("| 542.79 | 600.00 ± 0.00 |  |")


def test_what_holds_passes_and_what_does_not_stays_in_the_report() -> None:
    assert row("kmmscand beats the base kernel, 8 GB").endswith("| pass |")
    assert row("kmmscand beats the base kernel, 32 GB").endswith("| **miss** |")
    assert row("selection by latency / every fault, promoted").endswith("| **miss** |")
    assert row("promotion on / off").endswith("| 1.97 | 1.5 .. 2.4 | 2.000 ± 0.000 | pass |")


def test_every_miss_is_listed_with_a_cause_or_its_absence() -> None:
    misses = TEXT[TEXT.index("## Misses") :]
    assert TEXT.count("**miss**") == misses.count("- *")
    assert "no cause is known" in misses
    assert abench.LATE in misses


def test_overheads_are_given_as_parts_of_the_published_ones() -> None:
    assert row("8 GB, base: hint faults").endswith("| 64.86 | 65.00 ± 0.00 | 1.00 |")


def test_the_committed_report_has_every_check_of_today() -> None:
    told = (ROOT / Path("docs/validation.md")).read_text()
    for check in (*abench.checks(RUNS), *pmbench.checks(STEPS)):
        assert f"| {check.name} | {check.published} | {check.tolerance} |" in told
