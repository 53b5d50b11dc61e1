"""A knob is declared once: scenario key, validator, form control, CLI help and docs row in one.

A mechanism declares its knobs as the fields of one NamedTuple:

    class PteScan(NamedTuple):
        scan_sleep_ms: Annotated[int, Knob("ms", 0, 10_000, "Sleep between cycles.", "V0")] = 16

pydantic reads the bounds from the annotation (a `Knob` yields `Ge` and `Le`), the page and the
command line read everything else through `knob_specs`.
"""

import types
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, get_args, get_origin, get_type_hints

from annotated_types import Ge, GroupedMetadata, Le

Number = int | float
LOG_DECADES_RATIO = 100  # a slider is logarithmic where its range spans more than two decades
WRITTEN_OUT = 1e15  # larger bounds are shown as powers of ten


@dataclass(frozen=True)
class Knob(GroupedMetadata):
    """What is known about one knob besides its type and default.

    unit: shown beside the value ("ms", "MiB", "" for a plain count).
    lo, hi: inclusive bounds; None for booleans and choices.
    meaning: one sentence. source: kernel file or the reason for the default.
    live: True if a running simulation takes a new value, False if a run must be restarted.
    within: names of the two knobs of the same section that bound this one in a given run.
    """

    unit: str
    lo: Number | None
    hi: Number | None
    meaning: str
    source: str = ""
    live: bool = False
    within: tuple[str, str] | None = None

    def __iter__(self) -> Iterator[object]:
        if self.lo is not None:
            yield Ge(self.lo)
        if self.hi is not None:
            yield Le(self.hi)


class NoKnobs(NamedTuple):
    """No knobs."""


@dataclass(frozen=True)
class KnobSpec:
    """One declared knob, ready for a form, a help text or a table."""

    section: str
    name: str
    kind: Literal["int", "float", "bool", "choice"]
    default: Any
    choices: tuple[Any, ...]
    knob: Knob

    @property
    def path(self) -> str:
        """The name used by `--set`, by the control stream and by the page: SECTION.KNOB."""
        return f"{self.section}.{self.name}"

    @property
    def logarithmic(self) -> bool:
        """True if a slider over this range should be logarithmic."""
        lo, hi = self.knob.lo, self.knob.hi
        return lo is not None and hi is not None and lo > 0 and hi / lo > LOG_DECADES_RATIO

    @property
    def allowed(self) -> str:
        """The allowed values in words, for error messages and help."""
        if self.kind == "choice":
            return "one of " + ", ".join(map(repr, self.choices))
        if self.kind == "bool":
            return "true or false"
        unit = f" {self.knob.unit}" if self.knob.unit else ""
        return in_range(self.kind == "int", self.knob.lo, self.knob.hi) + unit


def in_range(whole: bool, lo: Number | None, hi: Number | None) -> str:
    """A range of numbers in words; None: no bound on that side."""
    low, high = ("" if end is None else _figure(end) for end in (lo, hi))
    if low and high:
        words = f"{low} .. {high}"
    else:
        words = f"at least {low}" if low else f"at most {high}" if high else ""
    return f"a whole number {words}".strip() if whole else words or "a number"


def _figure(value: Number) -> str:
    is_count = isinstance(value, float) and abs(value) < WRITTEN_OUT and value.is_integer()
    return f"{int(value) if is_count else value:_}"


def knob_specs(section: str, declaration: type) -> dict[str, KnobSpec]:
    """Read the knobs of a NamedTuple class; fields without a `Knob` annotation are an error."""
    hints = get_type_hints(declaration, include_extras=True)
    defaults = getattr(declaration, "_field_defaults", {})
    return {name: spec_of(section, name, hint, defaults.get(name)) for name, hint in hints.items()}


def spec_of(section: str, name: str, hint: Any, default: Any) -> KnobSpec:
    """One knob from its annotation; raises TypeError if that is none of a knob."""
    base, *extras = get_args(hint)
    knob = next((extra for extra in extras if isinstance(extra, Knob)), None)
    if knob is None:
        raise TypeError(f"{section}.{name} has no Knob annotation")
    if get_origin(base) is Literal:
        return KnobSpec(section, name, "choice", default, get_args(base), knob)
    if base is bool:
        return KnobSpec(section, name, "bool", default, (), knob)
    if isinstance(base, types.UnionType) or base not in (int, float):
        raise TypeError(f"{section}.{name}: a knob is int, float, bool or Literal, not {base}")
    return KnobSpec(section, name, "int" if base is int else "float", default, (), knob)
