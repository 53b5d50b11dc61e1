"""The text of a user's policy, and what it may say (docs/policies.md).

A policy is one function and the numbers that it names. It is read as a tree and refused by line
before anything of it is run: arithmetic on its arguments is enough to decide, and whatever could
reach beyond them (imports, attributes, calls of anything but a few built-in functions), need not
end (while) or differs from one machine to the next (powers are the C library's) is left out.
"""

import ast
from typing import NamedTuple

ARGUMENTS: dict[str, str] = {
    "now_ms": "simulated time, a whole number of ms",
    "mm": "number of the process, from 0, in the order of the scenario",
    "nr_mms": "processes in the scenario",
    "nid": "node on which the folio lies",
    "order": "order of the folio: 0, 4 or 9",
    "heat": "its reports as the hotness memory counts them, -1 if it does not",
    "latency_ms": "time since its last report, or from mark to touch; -1 if nobody knows",
    "free_mib": "free on the target node, less what the same call has let pass",
    "high_mib": "high watermark of the target node",
    "promo_mib": "promo watermark of the target node",
    "target_mib": "size of the target node",
    "resident_top_mib": "memory of the process on the top tier, and what the same call let pass",
    "state": "64 numbers (f64) that only the policy reads and writes, all 0 at first",
}
STATE_SIZE = 64
CALLS = ("abs", "bool", "float", "int", "len", "max", "min", "range")
MAX_CHARACTERS = 20_000

_EXPRESSIONS = (
    ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.Constant, ast.Name, ast.Call,
    ast.Subscript, ast.operator, ast.unaryop, ast.boolop, ast.cmpop, ast.expr_context,
)  # fmt: skip
_STATEMENTS = (
    ast.Return, ast.Assign, ast.AugAssign, ast.AnnAssign, ast.If, ast.For, ast.Break,
    ast.Continue, ast.Pass, ast.Expr,
)  # fmt: skip
_CONSTANTS = (
    ast.BinOp,
    ast.UnaryOp,
    ast.Constant,
    ast.Name,
    ast.operator,
    ast.unaryop,
    ast.expr_context,
)
_REASONS: dict[type[ast.AST], str] = {
    ast.Import: "imports nothing: it decides from its arguments",
    ast.ImportFrom: "imports nothing: it decides from its arguments",
    ast.While: "has no while: its loops are over a range",
    ast.Attribute: "uses no attributes, only numbers and state[i]",
    ast.Pow: "uses no powers: they differ from one C library to another",
    ast.Lambda: "is one function",
    ast.ClassDef: "is one function",
    ast.AsyncFunctionDef: "is one function",
    ast.FunctionDef: "is one function",
}


class PolicyError(ValueError):
    """One sentence that names the file, the line and what is wrong."""


class Policy(NamedTuple):
    """file: as the scenario names it. text: of the file. name: of its function. arguments: those it
    takes. line: of its def."""

    file: str
    text: str
    name: str
    arguments: tuple[str, ...]
    line: int


def read_policy(file: str, text: str) -> Policy:
    """What a policy's text says; raises PolicyError if it may not be run."""
    if len(text) > MAX_CHARACTERS:
        raise PolicyError(f"{file}: {len(text)} characters; a policy has at most {MAX_CHARACTERS}")
    try:
        tree = ast.parse(text, file)
    except (SyntaxError, ValueError, RecursionError) as error:
        line = getattr(error, "lineno", None) or 1
        reason = getattr(error, "msg", None) or str(error)
        raise PolicyError(f"{file}, line {line}: not Python: {reason}") from error
    found: ast.FunctionDef | None = None
    numbers: set[str] = set()
    for statement in tree.body:
        if isinstance(statement, ast.FunctionDef) and found is None:
            found = statement
        elif not _is_text(statement):
            numbers.add(_constant(file, statement, numbers))
    if found is None:
        raise PolicyError(f"{file}, line 1: it has no function; a policy is one")
    return Policy(file, text, found.name, _checked(file, found, numbers), found.lineno)


def code_of(policy: Policy) -> ast.Module:
    """Its tree without annotations, which nobody has looked at."""
    tree = ast.parse(policy.text, policy.file)
    for statement in tree.body:
        if isinstance(statement, ast.FunctionDef):
            statement.returns = None
            for argument in statement.args.args:
                argument.annotation = None
    return tree


def _is_text(statement: ast.stmt) -> bool:
    value = statement.value if isinstance(statement, ast.Expr) else None
    return isinstance(value, ast.Constant) and isinstance(value.value, str)


def _constant(file: str, statement: ast.stmt, numbers: set[str]) -> str:
    """The name of a number; outside its function a policy holds nothing else."""
    if not isinstance(statement, ast.Assign) or not isinstance(statement.targets[0], ast.Name):
        why = _REASONS.get(type(statement), "holds its function and NAME = number, nothing else")
        raise PolicyError(f"{file}, line {statement.lineno}: a policy {why}")
    for node in ast.walk(statement.value):
        if not isinstance(node, _CONSTANTS) or isinstance(node, ast.Pow):
            raise _refused(file, node, statement.lineno, "names numbers before its function")
        if isinstance(node, ast.Constant) and not isinstance(node.value, int | float):
            raise _refused(file, node, statement.lineno, "names numbers before its function")
        if isinstance(node, ast.Name) and node.id not in numbers:
            raise PolicyError(f"{file}, line {node.lineno}: {node.id}: no such name")
    return statement.targets[0].id


def _checked(file: str, function: ast.FunctionDef, numbers: set[str]) -> tuple[str, ...]:
    """The arguments of the function; raises PolicyError."""
    line, args = function.lineno, function.args
    if function.decorator_list:
        raise PolicyError(f"{file}, line {line}: {function.name}: a policy has no decorators")
    if args.posonlyargs or args.kwonlyargs or args.vararg or args.kwarg or args.defaults:
        raise PolicyError(
            f"{file}, line {line}: {function.name}: arguments are plain names without defaults"
        )
    for argument in args.args:
        if argument.arg not in ARGUMENTS:
            raise PolicyError(
                f"{file}, line {argument.lineno}: {function.name}: argument {argument.arg!r} is "
                f"none of {', '.join(ARGUMENTS)}"
            )
    taken = tuple(argument.arg for argument in args.args)
    nodes = [part for statement in function.body for part in ast.walk(statement)]
    names = [node for node in nodes if isinstance(node, ast.Name)]
    written = {node.id for node in names if isinstance(node.ctx, ast.Store)}
    known = {*taken, *numbers, *written, *CALLS}
    for node in nodes:
        line = getattr(node, "lineno", line)
        if isinstance(node, ast.Pow) or not isinstance(node, _EXPRESSIONS + _STATEMENTS):
            raise _refused(file, node, line, "uses numbers, comparisons, if and for alone")
        if isinstance(node, ast.Call):
            _check_call(file, node)
        if isinstance(node, ast.Name) and node.id not in known:
            raise PolicyError(f"{file}, line {line}: {node.id}: no such name")
    return taken


def _check_call(file: str, call: ast.Call) -> None:
    name = call.func.id if isinstance(call.func, ast.Name) else ast.unparse(call.func)
    if name not in CALLS or call.keywords:
        raise PolicyError(
            f"{file}, line {call.lineno}: {name}(): a policy calls {', '.join(CALLS)} alone"
        )


def _refused(file: str, node: ast.AST, line: int, otherwise: str) -> PolicyError:
    why = _REASONS.get(type(node), otherwise)
    return PolicyError(f"{file}, line {getattr(node, 'lineno', line)}: a policy {why}")
