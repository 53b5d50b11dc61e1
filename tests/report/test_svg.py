import re
from dataclasses import replace
from xml.etree import ElementTree as ET

import numpy as np
from numpy.typing import ArrayLike

from tiering.charts.chart import Reference
from tiering.charts.colours import INK
from tiering.report.plot import Axis, Curve, Mark, Plot
from tiering.report.svg import BOTTOM, HEIGHT, LEFT, RIGHT, TEXT, TOP, WIDTH, svg

SPACE = "{http://www.w3.org/2000/svg}"
RED = "#ff0000"


def curve(y: ArrayLike, mark: Mark = "line", name: str = "c", colour: str = RED) -> Curve:
    values = np.asarray(y, np.float64)
    return Curve(name, np.arange(values.size, dtype=np.float64), values, colour, mark)


def plot(*curves: Curve, **more: object) -> Plot:
    known: dict[str, object] = {"x": Axis("time", "s"), "y": Axis("size", "GiB")}
    return Plot("Title", "Why?", curves=curves, **(known | more))  # type: ignore[arg-type]


def drawn(one: Plot) -> ET.Element:
    return ET.fromstring(svg(one))


def texts(one: Plot) -> list[str]:
    return [element.text or "" for element in drawn(one).iter(f"{SPACE}text")]


def paths(one: Plot) -> list[str]:
    """Of curves and areas, not the clip path."""
    group = next(g for g in drawn(one).iter(f"{SPACE}g") if "clip-path" in g.attrib)
    return [element.attrib["d"] for element in group.iter(f"{SPACE}path")]


def test_points_lie_where_their_values_are() -> None:
    (d,) = paths(plot(curve([0, 5, 10])))
    middle_x, middle_y = (LEFT + WIDTH - RIGHT) / 2, (TOP + HEIGHT - BOTTOM) / 2
    floor, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    wanted = [(LEFT, floor), (middle_x, middle_y), (right, TOP)]
    assert d == "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in wanted)


def test_titles_axes_ticks_and_legend_are_written() -> None:
    found = texts(plot(curve([0, 10], name="DRAM"), levels=(Reference("capacity", 9.0),), note="n"))
    for text in ("Title", "Why?", "time [s]", "size [GiB]", "0", "10", "DRAM", "capacity", "n"):
        assert text in found
    assert "nothing here" in texts(plot(empty="nothing here"))


def test_a_gap_is_not_drawn_over() -> None:
    assert len(paths(plot(curve([1, 2, np.nan, 3, 4])))) == 2
    assert paths(plot(curve([np.nan, np.nan]))) == []


def test_steps_go_across_first_and_then_up() -> None:
    (d,) = paths(plot(curve([0, 10], "step")))
    assert re.fullmatch(r"M\S+ \S+H\S+V\S+", d)


def test_an_area_is_closed_along_its_base() -> None:
    one = replace(curve([10, 10], "area"), base=np.array([5.0, 0.0]))
    (d,) = paths(plot(one))
    heights = [point.split(" ")[1] for point in re.split("[ML]", d.rstrip("Z"))[1:]]
    floor, middle = f"{HEIGHT - BOTTOM:.1f}", f"{(TOP + HEIGHT - BOTTOM) / 2:.1f}"
    assert heights == [f"{TOP:.1f}", f"{TOP:.1f}", floor, middle]
    assert d.endswith("Z")


def test_marked_points_are_circles() -> None:
    circles = list(drawn(plot(curve([1, 2, 3], "points"))).iter(f"{SPACE}circle"))
    assert len(circles) == 3


def test_names_cannot_break_out_of_the_text() -> None:
    evil = '<script>&"x"'
    assert evil in texts(plot(curve([1, 2], name=evil)))
    assert "<script>" not in svg(plot(curve([1, 2], name=evil)))


def test_a_long_legend_goes_on_in_a_second_row_and_the_picture_grows() -> None:
    few, many = (
        plot(*(curve([1, 2], name=f"a process called {n}") for n in range(nr))) for nr in (1, 9)
    )
    height = [float(drawn(one).attrib["height"]) for one in (few, many)]
    assert height[1] > height[0]


def test_ink_is_the_colour_of_text_on_a_light_background() -> None:
    assert f'stroke="{TEXT}" stroke-width="1.5"' in svg(plot(curve([1, 2], colour=INK)))
    assert f'stroke="{INK}"' not in svg(plot(curve([1, 2], colour=INK)))


def test_the_same_plot_gives_the_same_bytes() -> None:
    assert svg(plot(curve([1, 2]))) == svg(plot(curve([1, 2])))
    assert svg(plot(curve([1, 2]))) != svg(plot(curve([1, 3])))
