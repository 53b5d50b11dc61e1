"""[expect]: what it takes, what it refuses, and numbers worked out by hand."""

from pathlib import Path

import numpy as np
import pytest

from tests.simulation.scenarios import TINY
from tests.simulation.test_load import problem
from tiering.model.metrics import RowShape, row_dtype
from tiering.simulation.expect import Check, Figure, checks
from tiering.simulation.load import ScenarioError, load_text
from tiering.simulation.trial import Outcome, measured, outcome, trial

EXPECT = """
[expect]
answer = "All of it rises."
checks = [
    "top_tier_share > 0.2",
    "promoted_mib > 1.5 * half:promoted_mib",
    "max(mm.scan_period_ms.app after 1) <= 5000",
    "none:promoted_mib = 0",
]
[expect.variants]
none = { preset = "none" }
half = { "nodes.0.capacity_mib" = 32 }
[expect.run]
until_s = 3.0
"""


def with_checks(*texts: str, more: str = "") -> str:
    lines = ",\n".join(f"'{text}'" for text in texts)
    return f"{TINY}\n[expect]\nanswer = 'Yes.'\nchecks = [{lines}]\n{more}"


def test_a_check_is_taken_apart() -> None:
    expect = load_text(TINY + EXPECT, "tiny").expect
    assert expect is not None
    plain, against, rows, none = checks(expect)
    promoted = Figure("", "", "promoted_mib", 0.0)
    assert plain == Check(plain.text, Figure("", "", "top_tier_share", 0.0), ">", 0.2, None)
    assert against[1:] == (promoted, ">", 1.5, promoted._replace(variant="half"))
    assert rows.figure == Figure("", "max", "mm.scan_period_ms.app", 1.0)
    assert none[1:] == (promoted._replace(variant="none"), "=", 0.0, None)


@pytest.mark.parametrize(
    "text",
    ["top_tier_share", "> 1", "top_tier_share >> 1", "top_tier_share > oracle_share * 2",
     "top_tier_share > -1", "sum(throughput) > 1", "a > 1 2"],
)  # fmt: skip
def test_what_is_no_check_is_refused_with_an_example(text: str) -> None:
    assert problem(with_checks(text)) == (
        f"tiny: expect.checks.0 = '{text}': allowed is a check such as 'top_tier_share >= 0.9 * "
        "oracle_share': a figure, one of < <= > >= =, and a number, a figure or a number * a figure"
    )


def test_what_a_check_names_must_be_there() -> None:
    assert problem(with_checks("all:promoted_mib > 1")) == (
        "tiny: expect.checks.0 = 'all:promoted_mib > 1': there is no variant all; in "
        "expect.variants: none"
    )
    assert problem(with_checks("last(speed) > 1")) == (
        "tiny: expect.checks.0 = 'last(speed) > 1': speed is no metric of the rows"
    )
    assert problem(with_checks("a > 1", more="[expect.variants]\nb = { seed = 2 }")) == (
        "tiny: expect.variants.b: no check names it"
    )


def test_keys_and_kinds_of_values_are_strict() -> None:
    assert problem(with_checks("a > 1", more="why = 1")) == (
        "tiny: expect.why: unknown key; allowed are answer, checks, variants, run"
    )
    assert problem(TINY + "\n[expect]\nanswer = 'Yes.'").startswith("tiny: expect.checks: missing")
    message = problem(with_checks("a > 1", more="[expect.variants]\nB = { seed = 2 }"))
    assert message == (
        "tiny: expect.variants.B = 'B': "
        "allowed is a name of small letters, digits or _ that begins with a letter"
    )


def a_run() -> Outcome:
    """Two processes, two rows, at 1 s and at 2 s."""
    shape = RowShape(("DRAM", "CXL"), ("a", "a.b"), ("kmmscand",))
    rows = np.zeros(2, row_dtype(shape))
    rows["time_ns"] = 1e9, 2e9
    rows["precision"] = 0.25, np.nan
    rows["mm.scan_period_ms"] = [[1, 2], [3, 40]]
    known = {"pages": 7, "ms": {"max": 2.5, "a.b": {"max": 9}}, "age": None}
    return Outcome(known, rows, shape)


@pytest.mark.parametrize(
    ("figure", "value"),
    [
        (("", "pages", 0), 7.0),
        (("", "ms.max", 0), 2.5),
        (("", "ms.a.b.max", 0), 9.0),
        (("", "age", 0), None),
        (("", "age.max", 0), None),
        (("max", "mm.scan_period_ms", 0), 40.0),
        (("mean", "mm.scan_period_ms", 0), 11.5),
        (("last", "mm.scan_period_ms.a", 0), 3.0),
        (("min", "mm.scan_period_ms.a.b", 0), 2.0),
        (("min", "mm.scan_period_ms.a", 1), 3.0),
        (("max", "precision", 0), 0.25),
        (("max", "precision", 1), None),
        (("max", "throughput", 2), None),
    ],
)
def test_figures_are_found_by_their_paths(figure: tuple[str, str, float], value: object) -> None:
    assert measured(Figure("", *figure), a_run()) == value


def test_the_last_row_is_not_the_last_process() -> None:
    run = a_run()
    run.rows["mm.scan_period_ms"] = [[1, 2], [50, 4]]
    with pytest.raises(KeyError, match="last of several columns"):
        measured(Figure("", "last", "mm.scan_period_ms", 0), run)


@pytest.mark.parametrize(
    ("figure", "words"),
    [
        (("", "pagez", 0), "there is no figure pagez; there is pages, ms, age"),
        (("", "ms", 0), "ms is several figures: max, a.b"),
        (("", "pages.max", 0), "there is no figure pages.max; there is nothing below"),
        (("max", "mm.throughput.c", 0), "mm.throughput: there is no c; there is a, a.b"),
    ],
)
def test_a_figure_that_is_not_there_is_told(figure: tuple[str, str, float], words: str) -> None:
    with pytest.raises(KeyError, match=words.replace(".", r"\.")):
        measured(Figure("", *figure), a_run())


@pytest.mark.compiled
def test_checks_are_measured_in_the_runs_that_they_name(tmp_path: Path) -> None:
    path = tmp_path / "tiny.toml"
    path.write_text(TINY + EXPECT)
    found = list(trial(str(path), {}))
    assert [one.ok for one in found] == [True] * 4
    assert found[1].value == outcome(str(path), {"until_s": 3.0}).known["promoted_mib"]
    assert found[3].value == 0.0
    *_, none = trial(str(path), {"preset": "kmmscand_v0"})
    assert not none.ok, "a change of the caller holds for variants too"


def test_a_scenario_without_claims_has_nothing_to_measure(tmp_path: Path) -> None:
    path = tmp_path / "tiny.toml"
    path.write_text(TINY)
    with pytest.raises(ScenarioError, match=r"has no \[expect\]$"):
        list(trial(str(path), {}))
