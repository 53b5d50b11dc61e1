import re
import shlex
from pathlib import Path

import pytest

from tests.house.tree import ROOT, text_of, tracked
from tiering.cli.entry import parser

DOCUMENTS = [path for path in tracked() if path.suffix == ".md"]
DECISIONS = ROOT / "docs" / "decisions"
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
COMMAND = re.compile(r"^(?:\S*/)?python -m tiering (.+)$", re.MULTILINE)


def links(document: Path) -> list[str]:
    """Targets of the document's links into the project."""
    found = LINK.findall(text_of(document) or "")
    return [target for target in found if not re.match(r"[a-z]+:", target)]


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_every_link_into_the_project_leads_somewhere(document: Path) -> None:
    folder = (ROOT / document).parent
    assert [target for target in links(document) if not (folder / target).exists()] == []


def test_links_are_seen() -> None:
    assert len(links(Path("docs/decisions/README.md"))) >= 3


def test_every_decision_is_in_the_index_with_its_title() -> None:
    index = (DECISIONS / "README.md").read_text()
    files = sorted(path for path in DECISIONS.glob("*.md") if path.name != "README.md")
    assert files
    for path in files:
        number, title = path.read_text().splitlines()[0].removeprefix("# ").split(": ", 1)
        assert path.name.startswith(f"{number}-")
        assert f"| {number} | [{title}]({path.name}) |" in index


def test_decision_numbers_count_up_without_a_gap() -> None:
    numbers = sorted(int(path.name[:4]) for path in DECISIONS.glob("[0-9]*.md"))
    assert numbers == list(range(1, len(numbers) + 1))


def test_the_commands_of_the_readme_are_ones_the_program_takes() -> None:
    lines = COMMAND.findall((ROOT / "README.md").read_text())
    taken = [parser().parse_args(shlex.split(line)) for line in lines]
    commands = {"scenarios", "presets", "run", "check", "knobs", "runs", "worker", "bench"}
    assert {args.command for args in taken} == commands
    names = {args.scenario for args in taken if "scenario" in args}
    missing = {
        name
        for name in names
        if not (ROOT / name).is_file() and not (ROOT / "scenarios" / f"{name}.toml").is_file()
    }
    assert missing == set()


def test_the_architecture_names_every_package() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    packages = {path.parts[1] for path in tracked() if path.match("tiering/*/__init__.py")}
    assert len(packages) >= 15
    assert {name for name in packages if f"`{name}`" not in text} == set()
