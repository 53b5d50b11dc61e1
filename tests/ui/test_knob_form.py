from typing import Annotated, Literal, NamedTuple

import pytest

from tiering.model.knobs import Knob, knob_specs
from tiering.ui.components.knob_form import bounds, knob_form, logarithmic, script_view


class Mechanism(NamedTuple):
    on: Annotated[bool, Knob("", None, None, "Whether at all.", live=True)] = True
    way: Annotated[Literal["a", "b"], Knob("", None, None, "Which way.")] = "a"
    wide: Annotated[int, Knob("ms", 1, 10_000, "A wide range.", "mm/x.c", live=True)] = 100
    narrow: Annotated[float, Knob("ns", 0, 10, "A narrow range.")] = 2.5
    least: Annotated[int, Knob("ms", 1, 10_000, "Lower bound.")] = 50
    most: Annotated[int, Knob("ms", 1, 10_000, "Upper bound.")] = 500
    inside: Annotated[
        int, Knob("ms", 1, 10_000, "Between them.", within=("least", "most"), live=True)
    ] = 100


SPECS = {spec.path: spec for spec in knob_specs("room", Mechanism).values()}
VALUES = {f"room.{name}": value for name, value in Mechanism()._asdict().items()}


def controls(phase: str) -> dict[str, object]:
    form = knob_form(SPECS, VALUES, VALUES, {}, phase)
    identities = ((part, getattr(part, "id", None)) for part in form._traverse())
    return {
        f"{found['type']} {found['path']}": part
        for part, found in identities
        if isinstance(found, dict)
    }


def test_every_knob_has_the_control_of_its_kind() -> None:
    found = set(controls("before"))
    assert {"knob-switch room.on", "knob-choice room.way"} <= found
    for name in ("wide", "narrow", "least", "most", "inside"):
        assert {f"knob-slider room.{name}", f"knob-box room.{name}"} <= found
    assert len(found) == 2 + 2 * 5


@pytest.mark.parametrize(
    ("phase", "live", "fixed"),
    [("before", False, False), ("live", False, True), ("after", True, True)],
)
def test_what_can_be_turned_depends_on_the_phase(phase: str, live: bool, fixed: bool) -> None:
    found = controls(phase)
    assert found["knob-box room.wide"].disabled == live  # type: ignore[attr-defined]
    assert found["knob-box room.narrow"].disabled == fixed  # type: ignore[attr-defined]


def test_a_wide_range_has_a_logarithmic_slider() -> None:
    assert logarithmic(SPECS["room.wide"], VALUES)
    assert not logarithmic(SPECS["room.narrow"], VALUES)
    slider = controls("before")["knob-slider room.wide"]
    assert (slider.min, slider.max, slider.value) == (0, 4, 2)  # type: ignore[attr-defined]


def test_the_bounds_of_this_run_narrow_the_slider() -> None:
    assert bounds(SPECS["room.inside"], VALUES) == (50, 500)


def test_a_value_outside_the_bounds_stays_on_the_slider() -> None:
    assert bounds(SPECS["room.inside"], VALUES | {"room.inside": 700}) == (50, 700)


def test_scripts_know_value_base_and_bounds() -> None:
    view = script_view(SPECS, VALUES | {"room.wide": 200}, VALUES)
    assert view["room.wide"] == {
        "kind": "int", "value": 200, "base": 100, "lo": 1, "hi": 10_000, "log": True,
    }  # fmt: skip
    assert view["room.on"] == {"kind": "bool", "value": True, "base": True}


def test_meaning_and_source_are_told() -> None:
    form = knob_form(SPECS, VALUES, VALUES, {"room.wide": "No effect here."}, "before")
    titles = [getattr(part, "title", "") for part in form._traverse()]
    assert "A wide range. Source: mm/x.c." in titles
    assert any(getattr(part, "children", "") == "No effect here." for part in form._traverse())
