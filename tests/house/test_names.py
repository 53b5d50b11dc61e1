import ast
import re

import pytest

from tests.house.tree import ROOT, python_files, text_of, tracked

NO_MEANING = {"utils", "util", "common", "helpers", "helper", "core", "base", "manager", "misc"}
# Put together here so that this file does not hold what it forbids.
MACHINE_PATH = re.compile(r"(?<![\w.:/-])/(?:" + "|".join(("work", "root", "home/\\w+")) + r")/\w")


def meaningless(name: str) -> bool:
    """True if the words of a file or folder name say nothing, e.g. `bus_utils`."""
    words = name.lower().split(".")[0].split("_")
    return words[-1] in NO_MEANING or words[0] in NO_MEANING - {"common", "base", "core"}


def test_every_name_says_what_is_inside() -> None:
    python = [part for path in python_files() for part in path.parts]
    assert sorted({name for name in python if meaningless(name)}) == []


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("utils.py", True),
        ("bus_utils.py", True),
        ("helpers", True),
        ("core", True),
        ("codec.py", False),
        ("base_page_size.py", False),
    ],
)
def test_the_rule_for_names(name: str, bad: bool) -> None:
    assert meaningless(name) is bad


def test_no_file_mentions_a_path_of_somebodys_machine() -> None:
    found = [
        f"{path}:{number}: {line.strip()}"
        for path in tracked()
        for number, line in enumerate((text_of(path) or "").splitlines(), 1)
        if MACHINE_PATH.search(line)
    ]
    assert found == []


def test_the_rule_for_paths() -> None:
    assert MACHINE_PATH.search("see /" + "work/main")
    assert MACHINE_PATH.search('"/' + 'root/x"')
    assert not MACHINE_PATH.search("tiering/work/job.py and https://a.b/work/x")


def test_every_module_of_the_package_says_what_it_is() -> None:
    silent = [
        str(path)
        for path in python_files()
        if path.parts[0] == "tiering"
        and ast.get_docstring(ast.parse((ROOT / path).read_text())) is None
    ]
    assert silent == []


def test_test_names_are_sentences() -> None:
    short = [
        f"{path}: {node.name}"
        for path in python_files()
        if path.parts[0] == "tests"
        for node in ast.walk(ast.parse((ROOT / path).read_text()))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
        if len(node.name.split("_")) < 4
    ]
    assert short == []
