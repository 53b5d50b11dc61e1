from collections.abc import Mapping
from typing import Annotated, Literal, NamedTuple

import pytest

from tiering.model.knobs import Knob, knob_specs
from tiering.ui.components.knob_form import bounds, held, in_force, knob_form, script_view


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


def controls(phase: str, values: Mapping[str, object] = VALUES) -> dict[str, object]:
    form = knob_form(SPECS, values, VALUES, {}, phase)
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
    [("before", False, False), ("live", False, False), ("after", True, True)],
)
def test_what_can_be_turned_depends_on_the_phase(phase: str, live: bool, fixed: bool) -> None:
    found = controls(phase)
    assert found["knob-box room.wide"].disabled == live  # type: ignore[attr-defined]
    assert found["knob-box room.narrow"].disabled == fixed  # type: ignore[attr-defined]


def test_a_wide_range_has_a_logarithmic_slider() -> None:
    slider = controls("before")["knob-slider room.wide"]
    assert (slider.min, slider.max, slider.value) == (0, 4, 2)  # type: ignore[attr-defined]
    slider = controls("before")["knob-slider room.narrow"]
    assert (slider.min, slider.max, slider.value) == (0, 10, 2.5)  # type: ignore[attr-defined]


def test_the_bounds_of_this_run_narrow_the_slider() -> None:
    assert bounds(SPECS["room.inside"], VALUES) == (50, 500)


@pytest.mark.parametrize(
    ("wanted", "shown", "told"),
    [
        (700, 500, "Set to 700, held to 500 by most."),
        (20, 50, "Set to 20, held to 50 by least."),
        (300, 300, ""),
    ],
)
def test_a_value_outside_the_bounds_of_this_run_is_shown_as_it_acts(
    wanted: int, shown: int, told: str
) -> None:
    values = VALUES | {"room.inside": wanted}
    box = controls("before", values)["knob-box room.inside"]
    assert (box.value, box.min, box.max) == (shown, 50, 500)  # type: ignore[attr-defined]
    assert held(SPECS["room.inside"], values) == told


def test_bounds_that_exclude_each_other_leave_one_value() -> None:
    values = VALUES | {"room.least": 600}
    assert bounds(SPECS["room.inside"], values) == (600, 600)
    assert in_force(SPECS["room.inside"], values) == 600


def test_scripts_know_value_base_and_bounds() -> None:
    view = script_view(SPECS, VALUES | {"room.wide": 200}, VALUES)
    assert view["room.wide"] == {
        "kind": "int", "value": 200, "base": 100, "live": True, "lo": 1, "hi": 10_000, "log": True,
        "within": [],
    }  # fmt: skip
    assert view["room.inside"]["within"] == ["room.least", "room.most"]
    assert view["room.on"] == {"kind": "bool", "value": True, "base": True, "live": True}


def test_meaning_and_source_are_told() -> None:
    form = knob_form(SPECS, VALUES, VALUES, {"room.wide": "No effect here."}, "before")
    titles = [getattr(part, "title", "") for part in form._traverse()]
    assert "A wide range. Source: mm/x.c." in titles
    assert any(getattr(part, "children", "") == "No effect here." for part in form._traverse())


@pytest.mark.parametrize("phase", ["before", "live", "after"])
def test_the_two_groups_of_knobs_have_titles_of_their_own(phase: str) -> None:
    form = knob_form(SPECS, VALUES, VALUES, {}, phase)
    titles = [part.children for part in form._traverse() if getattr(part, "_type", "") == "H3"]
    assert len(titles) == len(set(titles)) == 2
