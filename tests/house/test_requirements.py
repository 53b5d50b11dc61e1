import re
from importlib.metadata import version

import pytest
from packaging.requirements import Requirement

from tests.house.tree import ROOT

FILES = ("requirements.txt", "tests/requirements.txt")


def requirement_lines(name: str) -> list[str]:
    lines = (line.strip() for line in (ROOT / name).read_text().splitlines())
    return [line for line in lines if line and not line.startswith(("#", "-r "))]


@pytest.mark.parametrize("name", FILES)
def test_every_requirement_is_pinned_once(name: str) -> None:
    requirements = [Requirement(line) for line in requirement_lines(name)]
    assert requirements
    loose = [str(one) for one in requirements if not re.fullmatch(r"==[\w.]+", str(one.specifier))]
    assert loose == []
    names = [one.name.lower() for one in requirements]
    assert sorted(set(names)) == sorted(names)


@pytest.mark.parametrize("name", FILES)
def test_the_pinned_version_is_the_one_under_test(name: str) -> None:
    requirements = [Requirement(line) for line in requirement_lines(name)]
    here = [one for one in requirements if one.marker is None or one.marker.evaluate()]
    other = [
        f"{one} but {version(one.name)} is installed"
        for one in here
        if version(one.name) not in one.specifier
    ]
    assert other == []
