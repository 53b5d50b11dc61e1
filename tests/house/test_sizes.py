import ast
from collections.abc import Iterator
from pathlib import Path

from tests.house.tree import ROOT, python_files

FILE_LINES = 300
TEST_LINES = 400
FUNCTION_LINES = 60


def too_long_functions(text: str) -> Iterator[tuple[str, int]]:
    """Name and length of every function of more than FUNCTION_LINES lines, decorators apart."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > FUNCTION_LINES:
                yield node.name, length


def limit(path: Path) -> int:
    return TEST_LINES if path.parts[0] == "tests" else FILE_LINES


def test_files_stay_short() -> None:
    lengths = {path: len((ROOT / path).read_text().splitlines()) for path in python_files()}
    assert len(lengths) > 20, "the project has files to measure"
    assert {str(path): n for path, n in lengths.items() if n > limit(path)} == {}


def test_functions_fit_a_screen() -> None:
    found = [
        f"{path}: {name} has {length} lines"
        for path in python_files()
        for name, length in too_long_functions((ROOT / path).read_text())
    ]
    assert found == []


def test_the_measure_sees_a_long_function_and_not_a_short_one() -> None:
    body = "    x = 1\n"
    short = "def short():\n" + body * (FUNCTION_LINES - 1)
    long = "class A:\n  async def long(self):\n" + body * FUNCTION_LINES
    assert list(too_long_functions(short + long)) == [("long", FUNCTION_LINES + 1)]
