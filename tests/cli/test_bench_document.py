import re
from pathlib import Path

import numpy as np
import pytest

from tests.house.tree import ROOT
from tiering.cli import bench_document
from tiering.cli.bench_document import END, PARTS, PLOTS, check_document, table, write_document
from tiering.cli.bench_sources import BY_SOURCE
from tiering.cli.benchmarks import BENCHMARKS
from tiering.cli.entry import main
from tiering.cli.measure import Figure
from tiering.report.plot import Axis, Curve, Plot

PAGE = ROOT / "docs" / "performance.md"
FIGURES = {
    "speed": Figure(1234.5, "x", "a|b", "0.5 of the limit", 1000.0),
    "slow": Figure(7.25, "x", "n", "r", 30.0),
    "memory": Figure(4.0, "bytes", target=4.0, at_most=True),
    "cost_by_folios": Figure(0.75, "ns", "slope"),
    "cost_by_accesses": Figure(1.5, "x", "more"),
}


def a_plot() -> Plot:
    return Plot(
        "t", "s", Axis("x"), Axis("y"), (Curve("c", np.arange(2.0), np.arange(2.0), "#000000"),)
    )


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A document with text of its own around the parts; measuring costs nothing."""
    monkeypatch.setattr(bench_document, "PLOTS", {"one.svg": a_plot})
    path = tmp_path / "speed.md"
    parts = [f"before {part}\n<!-- bench: {part} -->\nold\n{END}\nafter {part}\n" for part in PARTS]
    path.write_text("".join(parts))
    return path


def test_only_what_stands_between_markers_is_replaced_and_again(page: Path) -> None:
    own = re.sub(f"(<!-- bench: [^e].*? -->\n).*?({END})", r"\1\2", page.read_text(), flags=re.S)
    for _ in range(2):
        check_document(page)
        write_document(page, FIGURES)
        text = page.read_text()
        assert "old" not in text
        kept = re.sub(f"(<!-- bench: [^e].*? -->\n).*?({END})", r"\1\2", text, flags=re.S)
        assert kept == own
    assert (page.parent / "speed" / "one.svg").read_text().startswith("<svg")


def test_targets_met_and_missed_are_told_plainly(page: Path) -> None:
    write_document(page, FIGURES)
    text = page.read_text()
    assert "2 of 3 targets are met.\n\n- `slow` is missed: 7.25 of 30 x\n" in text
    assert "| `speed` | 1,234 x | 1,000: met | 0.5 of the limit | a\\|b |" in text
    assert "| `slow` | 7.25 x | 30: **missed** | r | n |" in text
    assert "| `memory` | 4 bytes | at most 4: met |" in text
    assert "Measured: 0.75 ns (slope)." in text


@pytest.mark.parametrize("part", PARTS)
def test_a_document_without_a_part_is_refused_before_anything_is_measured(
    page: Path, part: str, capsys: pytest.CaptureFixture[str]
) -> None:
    page.write_text(page.read_text().replace(f"<!-- bench: {part} -->", ""))
    assert main(["bench", "--write", str(page)]) == 2
    captured = capsys.readouterr()
    assert captured.err == f"{page}: has no part <!-- bench: {part} --> ... {END}\n"
    assert captured.out == ""


def test_a_document_that_is_not_there_and_a_choice_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", "--write", str(tmp_path / "no.md")]) == 2
    assert capsys.readouterr().err.endswith("no.md: cannot be read: No such file or directory\n")
    assert main(["bench", "--write", "x.md", "--only", "encode"]) == 2
    assert capsys.readouterr().err == "--write x.md: takes all benchmarks, so not with --only\n"


def test_the_page_of_the_project_has_every_benchmark_and_both_plots() -> None:
    check_document(PAGE)
    text = PAGE.read_text()
    told = re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)
    assert [name for name in told if name not in BY_SOURCE] == [
        name for name in BENCHMARKS if name not in BY_SOURCE
    ]
    assert set(BY_SOURCE) & set(told), "sources that are new join with the next --write"
    for name in PLOTS:
        assert f"](performance/{name})" in text
        assert (PAGE.with_suffix("") / name).read_text().startswith("<svg")


def test_a_table_has_a_row_for_every_figure() -> None:
    assert len(table(FIGURES).splitlines()) == 2 + len(FIGURES)
