"""Plots as SVG, without a browser and without a library: light background, plain shapes, text.

The same plot gives the same bytes. What is written is escaped, so a name may hold anything.
"""

from collections.abc import Iterable, Iterator
from html import escape

import numpy as np

from tiering.charts.colours import INK, NEUTRAL
from tiering.report.plot import Axis, Curve, Floats, Plot
from tiering.report.scale import Scale
from tiering.report.ticks import label

WIDTH, HEIGHT = 760, 430
LEFT, RIGHT, TOP, BOTTOM = 78, 24, 66, 58
ROW = 18  # of the legend
BACKGROUND, TEXT, FAINT, GRID = "#ffffff", "#1f2933", "#5f6b7a", "#e3e7ec"
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif"
DASHES = {"solid": "", "dash": "7 4", "dot": "2 3"}
LETTER = 6.6  # width of a letter of the legend, about
AREA_OPACITY = 0.75


def svg(plot: Plot) -> str:
    """The text of an SVG file."""
    legend = list(_legend_places(plot))
    rows = 1 + max((row for *_, row in legend), default=0)
    height = HEIGHT + rows * ROW
    x = Scale(plot.x, [v for c in plot.curves for v in c.x.tolist()], LEFT, WIDTH - RIGHT)
    y = Scale(plot.y, _heights(plot), HEIGHT - BOTTOM, TOP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}"'
        f' height="{height}" role="img" font-family="{FONT}" font-size="12" fill="{TEXT}">',
        f"<title>{escape(plot.title)}</title>",
        f"<desc>{escape(plot.subtitle)}</desc>",
        f'<rect width="{WIDTH}" height="{height}" fill="{BACKGROUND}"/>',
        _text(LEFT, 26, plot.title, size=16, weight=600),
        _text(LEFT, 46, plot.subtitle, colour=FAINT),
        *_axes(plot, x, y),
    ]
    clip = f"M{LEFT} {TOP}H{WIDTH - RIGHT}V{HEIGHT - BOTTOM}H{LEFT}Z"
    parts.append(f'<clipPath id="inside"><path d="{clip}"/></clipPath><g clip-path="url(#inside)">')
    for curve in plot.curves:
        parts += _curve(curve, x, y)
    for level in plot.levels:
        at = _px(float(y.at(level.value)))
        parts.append(_line(LEFT, at, WIDTH - RIGHT, at, NEUTRAL, 1.2, "6 3"))
    parts.append("</g>")
    parts += _legend(plot, legend)
    if plot.empty:
        middle = (HEIGHT - BOTTOM + TOP) / 2
        parts.append(_text(WIDTH / 2, middle, plot.empty, "middle", colour=FAINT))
    if plot.note:
        parts.append(_text(WIDTH - RIGHT, 26, plot.note, "end", colour=FAINT))
    return "\n".join([*parts, "</svg>", ""])


def _heights(plot: Plot) -> list[float]:
    values = [level.value for level in plot.levels]
    for curve in plot.curves:
        values += [*curve.y.tolist(), *curve.base.tolist()]
    return values


def _axes(plot: Plot, x: Scale, y: Scale) -> Iterator[str]:
    floor, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    for tick in y.ticks:
        at = _px(float(y.at(tick)))
        yield _line(LEFT, at, right, at, GRID)
        yield _text(LEFT - 8, float(at) + 4, label(tick), "end", colour=FAINT)
    for tick in x.ticks:
        at = _px(float(x.at(tick)))
        yield _line(at, TOP, at, floor, GRID)
        yield _line(at, floor, at, floor + 5, FAINT)
        yield _text(float(at), floor + 19, label(tick), "middle", colour=FAINT)
    yield _line(LEFT, floor, right, floor, FAINT)
    yield _line(LEFT, TOP, LEFT, floor, FAINT)
    yield _text((LEFT + right) / 2, floor + 42, _name(plot.x), "middle")
    yield f'<g transform="translate(18 {(TOP + floor) / 2:g}) rotate(-90)">'
    yield _text(0, 0, _name(plot.y), "middle") + "</g>"


def _name(axis: Axis) -> str:
    return f"{axis.label} [{axis.unit}]" if axis.label and axis.unit else axis.label or axis.unit


def _curve(curve: Curve, x: Scale, y: Scale) -> Iterator[str]:
    across, up, colour = x.at(curve.x), y.at(curve.y), _colour(curve.colour)
    if curve.mark == "area":
        base = y.at(curve.base if curve.base.size else np.full(curve.x.size, max(y.low, 0.0)))
        for run in _runs(across, up, base):
            back = zip(across[run][::-1], base[run][::-1], strict=True)
            d = _path(zip(across[run], up[run], strict=True)) + _path(back).replace("M", "L", 1)
            yield f'<path d="{d}Z" fill="{colour}" fill-opacity="{AREA_OPACITY}"/>'
        return
    dash = f' stroke-dasharray="{DASHES[curve.dash]}"' if DASHES[curve.dash] else ""
    for run in _runs(across, up):
        d = _path(zip(across[run], up[run], strict=True), stepped=curve.mark == "step")
        yield (
            f'<path d="{d}" fill="none" stroke="{colour}" stroke-width="{curve.width:g}"{dash}'
            ' stroke-linejoin="round"/>'
        )
        if curve.mark == "points":
            for cx, cy in zip(across[run], up[run], strict=True):
                yield f'<circle cx="{_px(cx)}" cy="{_px(cy)}" r="3.5" fill="{colour}"/>'


def _runs(*columns: Floats) -> Iterator[slice]:
    """Stretches without a gap."""
    there = np.isfinite(np.stack(columns)).all(axis=0).astype(np.int8)
    edges = np.flatnonzero(np.diff(there, prepend=0, append=0))
    for first, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        yield slice(first, end)


def _path(points: Iterable[tuple[float, float]], stepped: bool = False) -> str:
    parts: list[str] = []
    for x, y in points:
        if not parts:
            parts.append(f"M{_px(x)} {_px(y)}")
        else:
            parts.append(f"H{_px(x)}V{_px(y)}" if stepped else f"L{_px(x)} {_px(y)}")
    return "".join(parts)


def _legend_places(plot: Plot) -> Iterator[tuple[str, str, str, float, int]]:
    """(name, colour, dash, x, row) of each entry, as many in a row as fit."""
    entries = [(c.name, _colour(c.colour), DASHES[c.dash]) for c in plot.curves]
    entries += [(level.name, NEUTRAL, "6 3") for level in plot.levels]
    x, row = float(LEFT), 0
    for name, colour, dash in entries:
        wide = 44 + LETTER * len(name)
        if x > LEFT and x + wide > WIDTH - RIGHT:
            x, row = float(LEFT), row + 1
        yield name, colour, dash, x, row
        x += wide


def _legend(plot: Plot, places: list[tuple[str, str, str, float, int]]) -> Iterator[str]:
    filled = {curve.name for curve in plot.curves if curve.mark == "area"}
    for name, colour, dash, x, row in places:
        y = HEIGHT + 6 + row * ROW
        yield _line(x, y - 4, x + 22, y - 4, colour, 8 if name in filled else 2, dash)
        yield _text(x + 28, y, name)


def _colour(colour: str) -> str:
    return TEXT if colour == INK else colour


def _px(value: float) -> str:
    return f"{value:.1f}"


def _line(
    x1: float | str, y1: float | str, x2: float | str, y2: float | str, colour: str,
    width: float = 1.0, dash: str = "",
) -> str:  # fmt: skip
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return (
        f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="{escape(colour)}"'
        f' stroke-width="{width:g}"{dashed}/>'
    )


def _text(
    x: float, y: float, text: str, anchor: str = "start", size: int = 12, weight: int = 400,
    colour: str = TEXT,
) -> str:  # fmt: skip
    return (
        f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}" font-size="{size}"'
        f' font-weight="{weight}" fill="{colour}">{escape(text)}</text>'
    )
