import pytest

from tiering.cli.entry import main
from tiering.model.knobs import knob_specs
from tiering.simulation.rooms import SECTIONS
from tiering.workloads.table import PATTERNS


def printed(capsys: pytest.CaptureFixture[str], *wanted: str) -> list[str]:
    assert main(["knobs", *wanted]) == 0
    return capsys.readouterr().out.splitlines()


def paths(lines: list[str]) -> list[str]:
    return [line.split()[0] for line in lines if line.startswith("  ") and line[2] != " "]


def test_every_declared_knob_is_listed_once_with_its_default(
    capsys: pytest.CaptureFixture[str],
) -> None:
    lines = printed(capsys)
    declared = SECTIONS | {name: pattern.knobs for name, pattern in PATTERNS.items()}
    specs = [spec for name, one in declared.items() for spec in knob_specs(name, one).values()]
    shown = paths(lines)
    assert len(shown) == len(set(shown)) == len(specs)
    assert [path.split(".")[-2:] for path in shown] == [[spec.section, spec.name] for spec in specs]


def test_a_knob_is_told_with_range_unit_meaning_and_source(
    capsys: pytest.CaptureFixture[str],
) -> None:
    lines = printed(capsys, "pte_scan.scan_period_ms")
    assert lines[1] == "  pte_scan.scan_period_ms = 2000"
    within = "within scan_period_min_ms .. scan_period_max_ms"
    assert lines[2] == f"      a whole number 10 .. 60_000 ms, {within}; live"
    assert lines[3].startswith("      Scan period of every mm; ")
    assert lines[-1] == "      source: mm/kmmscand.c, RFC V0: mm_scan_period_ms"
    assert max(map(len, lines)) <= 100


@pytest.mark.parametrize(
    ("wanted", "shown"),
    [
        ("zipf", ["processes.N.vmas.M.zipf.exponent"]),
        ("*.zipf.*", ["processes.N.vmas.M.zipf.exponent"]),
        ("cell_mib", ["processes.N.damon_recording.cell_mib"]),
        ("uniform", []),
    ],
)
def test_a_section_a_pattern_or_a_glob_chooses(
    wanted: str, shown: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert paths(printed(capsys, wanted)) == shown


def test_choices_and_switches_are_told_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(capsys, "migration")
    at = lines.index("  migration.owner = 'scanner'")
    assert lines[at + 1] == "      one of 'scanner', 'thread'; start-only"
    at = lines.index("  migration.refuse_shared = false")
    assert lines[at + 1] == "      true or false; start-only"


def test_a_name_that_matches_nothing_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["knobs", "pte_scann"]) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("knobs pte_scann: matches no knob and none of machine, pte_scan")
    assert len(captured.err.splitlines()) == 1
    assert captured.out == ""


def test_what_presets_set_is_told_beside_the_default(capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(capsys, "pte_scan.skip_shared")
    assert lines[1] == "  pte_scan.skip_shared = false"
    assert any(line.startswith("      by preset: true in kmmscand_v1") for line in lines)
