"""docs/model.md: the knob table of every mechanism, between markers, written by `knobs --write`.

A table begins with `<!-- knobs: NAME -->`, NAME a knob section or a pattern, and ends with
`<!-- knobs: end -->`; all other text is written by people and stays.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tiering.cli.marked import Marks, row
from tiering.model.knobs import KnobSpec, knob_specs
from tiering.simulation.load import ScenarioError
from tiering.simulation.rooms import SECTIONS
from tiering.workloads.table import PATTERNS

MARKS = Marks("knobs")
END = MARKS.end


def groups() -> Iterator[tuple[str, dict[str, KnobSpec]]]:
    """Name and knobs of every section and pattern that has any."""
    for name, section in SECTIONS.items():
        yield name, knob_specs(name, section)
    for name, pattern in PATTERNS.items():
        if specs := knob_specs(name, pattern.knobs):
            yield name, specs


def with_tables(text: str) -> str:
    """The document with all its tables anew; raises ScenarioError for one that it lacks."""
    parts = {name: table(specs) for name, specs in groups()}
    if missing := MARKS.missing(text, parts):
        raise ScenarioError(f"no table {missing}")
    return MARKS.replaced(text, parts)


def write_tables(path: Path) -> None:
    """Replace all tables of a document; raises ScenarioError if it cannot be read or lacks one."""
    try:
        text = path.read_text(encoding="utf-8")
        path.write_text(with_tables(text), encoding="utf-8")
    except OSError as error:
        raise ScenarioError(f"{path}: cannot be read: {error.strerror}") from error
    except ScenarioError as error:
        raise ScenarioError(f"{path}: {error}") from error


def table(specs: dict[str, KnobSpec]) -> str:
    """Markdown: a row a knob."""
    lines = ["| knob | default | allowed | live | meaning | source |", "|---|---|---|---|---|---|"]
    for spec in specs.values():
        cells = (
            f"`{spec.name}`", _value(spec.default), spec.allowed, "yes" if spec.knob.live else "",
            spec.knob.meaning, spec.knob.source,
        )  # fmt: skip
        lines.append(row(cells))
    return "\n".join(lines)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)
