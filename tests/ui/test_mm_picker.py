"""Which mms the address picks where there are too many for a line each."""

from typing import Any

import pytest

from tests.ui.test_pages import find
from tiering.ui.components.mm_picker import MOST_OFFERED, MOST_PICKED, distinct, picked
from tiering.ui.pages import lab

NAMES = [f"p{nr}" for nr in range(12)]
MANY: dict[str, Any] = {"charts": [{"series": [{"picked": -1}, {"picked": 0}]}]}
FEW: dict[str, Any] = {"charts": [{"series": [{"picked": -1}]}]}


@pytest.mark.parametrize(
    ("query", "mms"),
    [
        ("", (0, 1, 2)),
        ("?seed=3", (0, 1, 2)),
        ("?mms=", ()),
        ("?mms=p7,p2", (7, 2)),
        ("?mms=p7,nobody,p7", (7,)),
        ("?mms=p9,p8,p7,p6,p5,p4", (9, 8, 7, 6, 5)),
    ],
)
def test_the_address_picks_up_to_five_that_there_are(query: str, mms: tuple[int, ...]) -> None:
    found = picked(NAMES, MANY, query)
    assert found is not None
    assert found.mms == mms
    assert len(found.mms) <= MOST_PICKED


def test_nothing_is_picked_where_all_have_lines() -> None:
    assert picked(NAMES, FEW, "?mms=p1") is None


def test_names_of_two_mms_can_be_told_apart() -> None:
    assert distinct(["a-0", "a-1", "a-0"]) == ["a-0", "a-1", "a-0@2"]


def test_the_box_is_there_only_above_eight_mms() -> None:
    box = find(lab.before_run("virtual-or-physical", "?mms=heap-9", "/p.js"), "mms")
    assert (box.value, len(box.data), box.limit) == (["heap-9"], 20, MOST_OFFERED)
    config = find(lab.before_run("first-light", "", "/p.js"), "lab-config").data
    assert config["mms"] is None
