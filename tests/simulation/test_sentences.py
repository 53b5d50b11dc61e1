from typing import Any

import pytest

from tests.simulation.scenarios import TINY
from tests.simulation.test_load import problem
from tiering.simulation.presets import PRESETS


def test_an_unknown_key_is_named_with_the_keys_there_are() -> None:
    message = problem(pte_scan__scan_perod_ms=5)
    assert message.startswith(
        "tiny: pte_scan.scan_perod_ms: unknown key; allowed are scan_enabled, "
    )


def test_an_unknown_top_level_key_is_named() -> None:
    assert "tiny: colour: unknown key; allowed are title, question" in problem(colour="red")


def test_a_value_out_of_range_is_named_with_the_range() -> None:
    assert (
        problem(pte_scan__scan_period_ms=9)
        == "tiny: pte_scan.scan_period_ms = 9: allowed is a whole number 10 .. 60_000 ms"
    )


PATTERN_PROBLEMS = [
    ("zipf__exponent", 9, "allowed is 0 .. 4"),
    ("zipf__exponent", "steep", "allowed is 0 .. 4"),
    ("zipf__exponent", float("nan"), "allowed is 0 .. 4"),
    ("hot_set__layout", "heap", "allowed is one of 'scattered', 'contiguous'"),
    ("phases__nr_sets", 2.5, "allowed is a whole number 2 .. 8"),
    ("phases__hot_size_pct", 50.1, "allowed is 0.001 .. 50 %"),
    ("phases__phase_accesses", 0, "allowed is 1 .. 1e+18 accesses"),
    ("moving_hot_set__step_pct", 1, "allowed is 1.5625 .. 98.4375 %"),
    ("gaussian__sigma_pct", 0, "allowed is 0.01 .. 1_000 %"),
    ("zipf", 9, "should be a table; allowed are exponent"),
    ("uniform", 9, "should be a table; no key is allowed"),
]
A_PRESET = "allowed is one of " + ", ".join(map(repr, PRESETS))
A_NAME = "allowed is a name of 1 .. 40 letters, digits or _.- that begins with a letter or digit"
FIELD_PROBLEMS = [
    ("nodes.0.capacity_mib", 0, "0: allowed is a whole number 1 .. 67_108_864"),
    ("nodes.0.capacity_mib", True, "true: allowed is a whole number 1 .. 67_108_864"),
    ("nodes.1.latency_ns", -3.0, "-3.0: allowed is 1 .. 100_000"),
    ("nodes.1.curve_a", 0, "0: allowed is 1e-06 .. 100"),
    ("nodes.1.curve_b", 9, "9: allowed is a whole number 1 .. 8"),
    ("nodes", [], "a list of 0: allowed is a list of 1 .. 16 tables, [[nodes]]"),
    ("nodes.0.name", "a b", f"'a b': {A_NAME}"),
    ("until_s", 0, "0: allowed is more than 0, at most 1_000_000"),
    ("sample_ms", 15, "15: allowed is a whole number 10 .. 100_000, a multiple of 10"),
    (
        "seed",
        2**3000,
        "a number of 3001 bits: allowed is a whole number 0 .. 9_223_372_036_854_775_807",
    ),
    ("title", "", "'': allowed is text of 1 .. 200 characters"),
    ("title", "x" * 900, f"'{'x' * 59}...: allowed is text of 1 .. 200 characters"),
    ("preset", "magic", f"'magic': {A_PRESET}"),
    ("processes", {}, "a table: allowed is a list of 1 or more tables, [[processes]]"),
    ("processes.0.vmas", {}, "a table: allowed is a list of tables, [[processes.vmas]]"),
    ("processes.0.think_ns", float("nan"), "nan: allowed is 0 .. 1_000_000_000_000"),
    ("processes.0.recording", 5, "5: allowed is text"),
    ("processes.0.home_node", 5, f"5: {A_NAME}"),
    ("processes.0.damon_recording.skip_s", -5.0, "-5.0: allowed is 0 .. 86_400 s"),
    ("processes.0.damon_recording.cell_mib", 3, "3: allowed is one of 1, 2, 4, 8, 16, 32"),
    (
        "processes.0.vmas.0.size_mib",
        float("nan"),
        "nan: allowed is more than 0, at most 67_108_864",
    ),
    ("processes.0.vmas.0.order", 3, "3: allowed is one of 0, 4, 9"),
    ("processes.0.vmas.0.node", 5, f"5: {A_NAME} or 'first_touch'"),
    ("migration.refuse_shared", 1, "1: allowed is true or false"),
]


@pytest.mark.parametrize(("key", "value", "words"), PATTERN_PROBLEMS)
def test_a_knob_of_a_pattern_is_refused_like_any_other(key: str, value: Any, words: str) -> None:
    path = f"processes.0.vmas.0.{key.replace('__', '.')}"
    given = repr(value) if isinstance(value, str) else str(value)
    assert problem(**{path: value}) == f"tiny: {path} = {given}: {words}"


@pytest.mark.parametrize(("key", "value", "words"), FIELD_PROBLEMS)
def test_every_key_tells_the_whole_range_that_it_allows(key: str, value: Any, words: str) -> None:
    assert problem(**{key: value}) == f"tiny: {key} = {words}"


@pytest.mark.parametrize(
    ("key", "keys"),
    [
        ("nodes.0.x", "name, tier, capacity_mib, "),
        ("processes.0.x", "name, count, threads, "),
        ("processes.0.vmas.0.x", "name, size_mib, split_mib, "),
        ("processes.0.vmas.0.phases.x", "nr_sets, hot_size_pct, "),
        ("reclaim.x", "demotion_enabled, "),
    ],
)
def test_an_unknown_key_is_named_with_the_keys_of_its_own_table(key: str, keys: str) -> None:
    assert problem(**{key: 1}).startswith(f"tiny: {key}: unknown key; allowed are {keys}")


def test_a_key_of_several_lines_makes_one_line() -> None:
    assert problem(**{"nodes.0.a\nb": 1}).startswith(r"tiny: nodes.0.'a\nb': unknown key; ")


def test_an_unknown_knob_of_a_pattern_is_named_with_the_knobs_there_are() -> None:
    path = "processes.0.vmas.0.hot_set.hot"
    assert problem(**{path: 1}) == (
        f"tiny: {path}: unknown key; allowed are hot_size_pct, hot_access_pct, layout"
    )
    path = "processes.0.damon_recording.cell"
    assert problem(**{path: 1}) == (
        f"tiny: {path}: unknown key; allowed are cell_mib, skip_s, accesses_per_touch"
    )


@pytest.mark.parametrize("value", ["fast", 12.5, True])
def test_a_wrong_type_is_named_with_what_is_allowed(value: object) -> None:
    message = problem(pte_scan__scan_period_ms=value)
    assert message.startswith("tiny: pte_scan.scan_period_ms = ")
    assert "allowed is a whole number" in message


def test_a_missing_key_is_named() -> None:
    assert problem(TINY.replace('preset = "kmmscand_v0"\n', "")) == (
        f"tiny: preset: missing; {A_PRESET}"
    )
