"""Loops whose names begin with _ have no way in from Python: to call one there is a crash."""

import ast
from collections.abc import Iterator

from tests.house.tree import ROOT, python_files


def is_loop(function: ast.FunctionDef) -> bool:
    names = [one.func if isinstance(one, ast.Call) else one for one in function.decorator_list]
    return any(isinstance(name, ast.Name) and name.id == "loop" for name in names)


def calls_from_python(text: str) -> Iterator[tuple[str, str]]:
    """(caller, callee) where what is not a loop calls a loop whose name begins with _."""
    functions = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)]
    hidden = {one.name for one in functions if is_loop(one) and one.name.startswith("_")}
    for caller in functions:
        if not is_loop(caller):
            for node in ast.walk(caller):
                if isinstance(node, ast.Name) and node.id in hidden:
                    yield caller.name, node.id


def test_nobody_calls_a_hidden_loop_from_python() -> None:
    engine = [path for path in python_files() if path.parts[0] == "tiering"]
    assert len(engine) > 50
    found = {str(path): list(calls_from_python((ROOT / path).read_text())) for path in engine}
    assert {path: calls for path, calls in found.items() if calls} == {}


def test_the_search_sees_a_call_from_python_and_none_from_a_loop() -> None:
    loops = "@loop\ndef _a(): pass\n@loop(inline=True)\ndef b(): _a()\n"
    assert list(calls_from_python(loops)) == []
    assert list(calls_from_python(loops + "def c(): return _a()\n")) == [("c", "_a")]
