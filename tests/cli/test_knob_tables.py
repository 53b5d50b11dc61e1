from pathlib import Path

import pytest

from tests.house.tree import ROOT
from tiering.cli.entry import main
from tiering.cli.knob_tables import END, groups, with_tables
from tiering.simulation.load import ScenarioError

MODEL = ROOT / "docs" / "model.md"


def test_the_tables_of_the_model_are_those_of_today() -> None:
    text = MODEL.read_text()
    assert with_tables(text) == text, "python -m tiering knobs --write docs/model.md"


def test_every_section_and_pattern_with_knobs_has_one_table() -> None:
    text = MODEL.read_text()
    for name, specs in groups():
        assert text.count(f"<!-- knobs: {name} -->") == 1
        assert all(f"| `{knob}` |" in text for knob in specs)


def test_a_missing_table_is_named() -> None:
    with pytest.raises(ScenarioError, match="no table <!-- knobs: machine -->"):
        with_tables("# Nothing")


def test_tables_are_written_and_the_text_around_them_stays(tmp_path: Path) -> None:
    begun = "".join(f"text\n<!-- knobs: {name} -->\nstale row\n{END}\n" for name, _ in groups())
    document = tmp_path / "model.md"
    document.write_text(begun + "the end\n")
    assert main(["knobs", "--write", str(document)]) == 0
    text = document.read_text()
    assert "stale row" not in text
    assert text.count("text\n<!--") == len(list(groups()))
    assert text.endswith("the end\n")


def test_a_document_that_is_not_there_is_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["knobs", "--write", str(tmp_path / "no.md")]) == 2
    assert "no.md: cannot be read: No such file" in capsys.readouterr().err
