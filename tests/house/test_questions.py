"""The table of open questions is whole, and names scenarios that there are."""

import re

from tests.house.tree import ROOT

ROW = re.compile(r"^\| (\d+) \| (.+?) \| (.+?) \|(.*)\|$", re.MULTILINE)
QUESTIONS = 25


def test_every_open_question_has_a_row() -> None:
    rows = ROW.findall((ROOT / "docs" / "questions.md").read_text())
    assert [int(number) for number, *_ in rows] == list(range(1, QUESTIONS + 1))


def test_every_row_names_scenarios_that_exist_and_an_answer() -> None:
    for _, question, named, answer in ROW.findall((ROOT / "docs" / "questions.md").read_text()):
        names = re.findall(r"`([^`]+)`", named)
        assert names, question
        missing = [name for name in names if not (ROOT / "scenarios" / f"{name}.toml").is_file()]
        assert missing == [], question
        assert answer.strip().endswith("."), question
