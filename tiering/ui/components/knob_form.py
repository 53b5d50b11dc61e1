"""The knob form, generated from the knobs' declarations and nothing else."""

from collections.abc import Mapping
from math import log10
from typing import Any

import dash_mantine_components as dmc
from dash import dcc, html

from tiering.model.knobs import KnobSpec
from tiering.ui.components.attributes import attributes

LIVE = {"before": "act at once", "live": "act at once", "after": "acted at once"}
FIXED = {
    "before": "fixed once it runs", "live": "need a restart", "after": "were fixed while it ran",
}  # fmt: skip
LOG_STEPS_PER_DECADE = 50


def knob_form(
    specs: Mapping[str, KnobSpec],
    values: Mapping[str, Any],
    base: Mapping[str, Any],
    notes: Mapping[str, str],
    phase: str,
) -> Any:
    """An accordion of sections. values: in force; base: as in the scenario file.

    phase: "before" or "live" (all can be turned; what needs a restart waits for a fork) or "after"
    (none). The scripts make "live" into "after" and show where the link leads.
    """
    sections: dict[str, list[KnobSpec]] = {}
    for spec in specs.values():
        sections.setdefault(spec.section, []).append(spec)
    order = sorted(sections, key=lambda name: not any(s.knob.live for s in sections[name]))
    items = [
        dmc.AccordionItem(
            [
                dmc.AccordionControl(name),
                dmc.AccordionPanel(_groups(sections[name], values, base, notes, phase)),
            ],
            value=name,
        )
        for name in order
    ]
    return html.Div(
        [
            html.Div(
                [html.H2("Knobs"), dcc.Link("Change and run again", href="/", id="change")],
                className="knobs-head",
            ),
            _restart(),
            dmc.Accordion(items, multiple=True, value=order[:1], chevronPosition="left"),
        ],
        id="knobs",
    )


def _restart() -> Any:
    """What the scripts show while changes wait for a new run."""
    return html.Div(
        [
            html.Span(id="restart-words", role="status"),
            html.Button("Fork with them", **attributes(data_restart="fork")),
            html.Button("Take back", **attributes(data_restart="back")),
        ],
        id="restart",
        hidden=True,
    )


def bounds(spec: KnobSpec, values: Mapping[str, Any]) -> tuple[float, float]:
    """The range of a number in this run: that of the declaration, narrowed by `within`."""
    lo, hi = float(spec.knob.lo or 0), float(spec.knob.hi or 0)
    if spec.knob.within is not None:
        low, high = (float(values[path]) for path in _within(spec))
        lo, hi = max(lo, low), min(hi, high)
    return lo, max(lo, hi)


def in_force(spec: KnobSpec, values: Mapping[str, Any]) -> Any:
    """The value that acts: a number outside of the bounds of this run is held to them."""
    value = values[spec.path]
    if spec.kind not in ("int", "float"):
        return value
    lo, hi = bounds(spec, values)
    return value if lo <= value <= hi else type(value)(min(hi, max(lo, value)))


def held(spec: KnobSpec, values: Mapping[str, Any]) -> str:
    """A sentence if the value in force is not the one that was set."""
    wanted, acts = values[spec.path], in_force(spec, values)
    if wanted == acts or spec.knob.within is None:
        return ""
    return f"Set to {wanted:g}, held to {acts:g} by {spec.knob.within[wanted > acts]}."


def _within(spec: KnobSpec) -> list[str]:
    """Paths of the knobs that bound this one."""
    return [f"{spec.section}.{name}" for name in spec.knob.within or ()]


def script_view(
    specs: Mapping[str, KnobSpec], values: Mapping[str, Any], base: Mapping[str, Any]
) -> dict[str, dict[str, Any]]:
    """What the scripts need of each knob, by path. lo, hi: as declared."""
    view = {}
    for path, spec in specs.items():
        knob: dict[str, Any] = {"kind": spec.kind, "value": values[path], "base": base[path]}
        knob["live"] = spec.knob.live
        if spec.kind in ("int", "float"):
            knob |= {"lo": spec.knob.lo, "hi": spec.knob.hi, "log": spec.logarithmic}
            knob["within"] = _within(spec)
        view[path] = knob
    return view


def _groups(
    specs: list[KnobSpec],
    values: Mapping[str, Any],
    base: Mapping[str, Any],
    notes: Mapping[str, str],
    phase: str,
) -> list[Any]:
    """Live knobs first, then those that are fixed while a run lasts, each group with its title."""
    groups = []
    for live, titles in ((True, LIVE), (False, FIXED)):
        rows = [
            _row(spec, values, base, notes.get(spec.path, ""), phase == "after")
            for spec in specs
            if spec.knob.live == live
        ]
        if rows:
            groups += [html.H3(titles[phase], **attributes(data_after=titles["after"])), *rows]
    return groups


def _row(
    spec: KnobSpec, values: Mapping[str, Any], base: Mapping[str, Any], note: str, fixed: bool
) -> Any:
    changed = values[spec.path] != base[spec.path]
    unit = html.Small(f" {spec.knob.unit}") if spec.knob.unit else None
    source = f" Source: {spec.knob.source}." if spec.knob.source else ""
    head = [
        html.Span([spec.name, unit], className="knob-name", title=spec.knob.meaning + source),
        html.Button(
            "\u21ba", className="knob-reset", title=f"back to {base[spec.path]}",
            disabled=fixed, **attributes(aria_label=f"Reset {spec.name}", data_reset=spec.path),
        ),
    ]  # fmt: skip
    flat = " knob-flat" if spec.kind == "bool" else ""
    return html.Div(
        [
            html.Div(head, className="knob-head"),
            html.Div(_control(spec, values, fixed), className="knob-control"),
            html.P(note, className="knob-note") if note else None,
            html.P(held(spec, values), className="knob-note knob-held"),
            html.P(className="knob-problem", role="alert"),
        ],
        className=("knob knob-changed" if changed else "knob") + flat,
        **attributes(data_knob=spec.path),
    )


def _control(spec: KnobSpec, values: Mapping[str, Any], fixed: bool) -> Any:
    value, path = in_force(spec, values), spec.path
    if spec.kind == "bool":
        return dmc.Switch(
            id={"type": "knob-switch", "path": path}, checked=value, disabled=fixed, size="sm",
            **attributes(aria_label=spec.name),
        )  # fmt: skip
    if spec.kind == "choice":
        return dmc.SegmentedControl(
            id={"type": "knob-choice", "path": path}, value=value, disabled=fixed, size="xs",
            data=[str(choice) for choice in spec.choices], **attributes(aria_label=spec.name),
        )  # fmt: skip
    lo, hi = bounds(spec, values)
    log = spec.logarithmic
    low, high = (log10(lo), log10(hi)) if log else (lo, hi)
    step = 1 / LOG_STEPS_PER_DECADE if log else _linear_step(spec, hi - lo)
    slider = dmc.Slider(
        id={"type": "knob-slider", "path": path},
        value=log10(value) if log else value, step=step,
        min=low, max=high if high > low else low + 1,
        disabled=fixed, size="sm", thumbSize=14, updatemode="mouseup",
        label={"function": "round"}, thumbLabel=f"{spec.name} {spec.knob.unit}".strip(),
        **({"scale": {"function": "tenTo"}} if log else {}),
    )  # fmt: skip
    box = dmc.NumberInput(
        id={"type": "knob-box", "path": path}, value=value, min=lo, max=hi,
        allowDecimal=spec.kind == "float", disabled=fixed, hideControls=True, size="xs",
        debounce=True, w=76, **attributes(aria_label=f"{spec.name} {spec.knob.unit}".strip()),
    )  # fmt: skip
    return [slider, box]


def _linear_step(spec: KnobSpec, span: float) -> float:
    if spec.kind == "int":
        return max(1, round(span / 200))
    return float(f"{span / 200:.1g}") or 0.001
