"""Every scenario of the catalogue shows what its [expect] says."""

import pytest

from tiering.simulation.catalogue import scenario_names
from tiering.simulation.expect import changes
from tiering.simulation.load import load_file
from tiering.simulation.trial import trial


@pytest.mark.parametrize("name", scenario_names())
def test_every_scenario_asks_answers_and_has_variants_that_load(name: str) -> None:
    expect = load_file(name).expect
    assert expect is not None
    assert expect.answer.endswith(".")
    for variant in ("", *expect.variants):
        load_file(name, changes(expect, variant))


@pytest.mark.parametrize("name", scenario_names())
def test_a_run_shows_what_its_scenario_says(name: str) -> None:
    missed = [
        f"{one.check.text}: {one.value} against {one.bound}"
        for one in trial(name, {})
        if not one.ok
    ]
    assert missed == []
