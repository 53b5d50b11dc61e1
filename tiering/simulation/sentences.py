"""From pydantic's problems to sentences, with the keys and ranges read from the declarations."""

import types
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

from annotated_types import Ge, Gt, Le, MaxLen, MinLen, MultipleOf
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from tiering.model.knobs import Knob, in_range, spec_of
from tiering.simulation.scenario import Scenario

SHOWN = 60  # characters of a value or a key that are repeated
MOST_BITS = 256
UNKNOWN_KEY = "extra_forbidden"
NAME_OF_TABLE = "[key]"
MISSING = ("missing", "missing_argument")


class _Place(NamedTuple):
    """Where a path leads. key: dotted, as far as it names something. hint: of the value there,
    None for a key that does not exist. table: class that declares the key."""

    key: str
    hint: Any
    table: Any


def sentence(problem: Any) -> str:
    """One problem as `key = value: what is allowed`; problem: of ValidationError.errors()."""
    place = _place(problem["loc"])
    if place.hint is None:
        return f"{place.key}: unknown key; {known_keys(place.table)}"
    if problem["type"] in MISSING:
        return f"{place.key}: missing; {_allowed(place.hint)}"
    allowed = _allowed(place.hint)
    if get_origin(_bare(place.hint)) is dict:
        return f"{place.key} = {shown(problem.get('input'))}: should be tables [{place.key}.NAME]"
    if get_origin(_bare(place.hint)) is list:
        header = ".".join(part for part in place.key.split(".") if not part.isdigit())
        allowed += f", [[{header}]]"
    return f"{place.key} = {shown(problem.get('input'))}: {allowed}"


def known_keys(table: Any) -> str:
    """The keys of a table, in words."""
    names = list(fields(table))
    return "allowed are " + ", ".join(names) if names else "no key is allowed"


def fields(table: Any) -> dict[str, Any]:
    """Hint of every key that a file may use in a table: a model or a NamedTuple of knobs."""
    if not issubclass(table, BaseModel):
        return get_type_hints(table, include_extras=True)
    return {
        name: Annotated[field.annotation, field]
        for name, field in table.model_fields.items()
        if not field.exclude
    }


def shown(value: Any) -> str:
    """A value from the file, short and on one line."""
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, int) and value.bit_length() > MOST_BITS:
        return f"a number of {value.bit_length()} bits"
    text = repr(value) if isinstance(value, str) else str(value).lower()
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."


def _place(path: tuple[Any, ...]) -> _Place:
    """Follow a path from the top of the file; what lies below a plain value is pydantic's own."""
    hint: Any = Annotated[Scenario, None]
    key: Any = None  # of the table of tables last come to
    table: Any = Scenario
    names: list[str] = []
    for part in path:
        base = _bare(hint)
        if part == NAME_OF_TABLE and key is not None:
            hint = key
            break
        if get_origin(base) is dict:
            key, hint = get_args(base)
        elif get_origin(base) is list and isinstance(part, int):
            hint = get_args(base)[0]
        elif _is_table(base):
            table, hint = base, fields(base).get(part)
        else:
            break
        names.append(_name(part))
        if hint is None:
            break
    return _Place(".".join(names), hint, table)


def _name(part: Any) -> str:
    text = str(part)
    return text if text.isprintable() and len(text) <= SHOWN else shown(text)


def _bare(hint: Any) -> Any:
    """The type without metadata and without None."""
    while True:
        origin, parts = get_origin(hint), get_args(hint)
        if origin is Annotated:
            hint = parts[0]
        elif origin in (Union, types.UnionType) and types.NoneType in parts:
            (hint, *_) = [part for part in parts if part is not types.NoneType]
        else:
            return hint


def _is_table(base: Any) -> bool:
    return isinstance(base, type) and (issubclass(base, BaseModel) or hasattr(base, "_fields"))


def _allowed(hint: Any) -> str:
    base = _bare(hint)
    if _is_table(base):
        return "should be a table; " + known_keys(base)
    return "allowed is " + in_words(hint)


def in_words(hint: Any) -> str:
    """The values that a hint allows, a knob's or a field's."""
    base, extras = hint, []
    while get_origin(base) is Annotated:
        base, *more = get_args(base)
        for extra in more:
            extras += [extra, *extra.metadata] if isinstance(extra, FieldInfo) else [extra]
    if any(isinstance(extra, Knob) for extra in extras):
        return spec_of("", "", hint, None).allowed
    described = [one.description for one in extras if isinstance(one, FieldInfo)]
    if any(described):
        return next(filter(None, described))
    origin, parts = get_origin(base), get_args(base)
    if origin is Literal:
        choices = ", ".join(map(repr, parts))
        return f"one of {choices}" if len(parts) > 1 else choices
    if origin in (Union, types.UnionType):
        return " or ".join(in_words(part) for part in parts if part is not types.NoneType)
    bounds = {type(extra): extra for extra in extras}
    return _number(base is int, bounds) if base in (int, float) else _text_or_list(origin, bounds)


def _number(whole: bool, bounds: dict[type, Any]) -> str:
    above, lo, hi = bounds.get(Gt), bounds.get(Ge), bounds.get(Le)
    words = in_range(whole, lo and lo.ge, hi and hi.le)
    if above is not None:
        words = f"more than {above.gt:_}, {words}"
    if MultipleOf in bounds:
        words += f", a multiple of {bounds[MultipleOf].multiple_of:_}"
    return words


def _text_or_list(origin: Any, bounds: dict[type, Any]) -> str:
    lo, hi = bounds.get(MinLen), bounds.get(MaxLen)
    least = lo.min_length if lo else 0
    length = f"{least} .. {hi.max_length} " if hi else f"{least} or more " if least else ""
    if origin is list:
        return f"a list of {length}tables"
    return f"text of {length}characters" if length else "text"
