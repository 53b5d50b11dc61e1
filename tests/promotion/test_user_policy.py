"""User policies: what may be said, what is refused by which line, and the two that are shipped."""

from pathlib import Path

import numpy as np
import pytest

from tests.engine.machines import Layout, laid_out
from tiering.engine.folios import GRANULE, Memory
from tiering.engine.reports import in_runs
from tiering.promotion.policy_text import ARGUMENTS, STATE_SIZE, PolicyError, read_policy
from tiering.promotion.user_policy import Target, UserPolicy

SHIPPED = Path(__file__).parents[2] / "policies"
MS = 1_000_000
MIB = 256


def machine() -> Memory:
    """16 MiB of mm 0 in pages and 16 MiB of mm 1 in folios of 64 KiB on the slow tier, and 2 MiB of
    mm 0 on the top tier, of which 6 MiB are free."""
    vmas = [Layout(16 * MIB), Layout(256, order=4, mm=1), Layout(2 * MIB, nid=0)]
    return laid_out(vmas, [8 * MIB, 64 * MIB])


def rule(text: str, memory: Memory | None = None, file: str = "own.py") -> UserPolicy:
    """The policy on a target of 8 MiB, high 1 MiB, promo 2 MiB; mm 0 has rows 0 and 2 here."""
    return UserPolicy(
        read_policy(file, text), memory or machine(), Target(0, 1 * MIB, 2 * MIB, 8 * MIB),
        np.array([0, 1], np.uint8), np.array([0, 1], np.int64), np.array([1, 1], np.int64),
    )  # fmt: skip


def asked(
    one: UserPolicy,
    folios: list[int],
    latency: list[int] | None = None,
    heat: list[int] | None = None,
    now_ms: int = 0,
) -> list[int]:
    hot = in_runs(np.array(folios, np.uint32), now_ms * MS)
    chosen = one.choose(
        hot, np.array(latency or [], np.int64), now_ms * MS, np.array(heat or [], np.int64)
    )
    assert chosen.ends.tolist()[-1:] == ([chosen.folios.size] if chosen.folios.size else [])
    return [int(folio) for folio in chosen.folios]


def test_a_policy_takes_the_arguments_that_it_names_in_any_order() -> None:
    one = rule("LEAST = 2 * 2\n\ndef mine(heat, mm):\n    return heat >= LEAST and mm == 0\n")
    assert asked(one, [3, 5, GRANULE], heat=[4, 3, 9]) == [3]
    assert one.refused == 2
    assert asked(one, [3], heat=None) == [], "nobody counts: -1"


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("now_ms", [7, 7]), ("mm", [0, 1]), ("nr_mms", [2, 2]), ("nid", [1, 1]), ("order", [0, 4]),
        ("heat", [5, 6]), ("latency_ms", [8, 9]), ("high_mib", [1, 1]), ("promo_mib", [2, 2]),
        ("target_mib", [8, 8]), ("free_mib", [6.0, 6.0]), ("resident_top_mib", [0.0, 0.0]),
    ],
)  # fmt: skip
def test_every_argument_is_what_is_said_of_it(name: str, values: list[float]) -> None:
    one = rule(f"def mine({name}, state):\n    state[int(state[63])] = {name}\n"
               "    state[63] += 1\n    return False\n")  # fmt: skip
    asked(one, [3, GRANULE], latency=[8, 9], heat=[5, 6], now_ms=7)
    assert one.state[:2].tolist() == values
    assert name in ARGUMENTS


def test_what_the_same_call_let_pass_is_taken_off() -> None:
    """A quarter of a MiB passes: 64 pages, or 4 folios of 64 KiB."""
    one = rule("def mine(free_mib):\n    return free_mib > 5.75\n")
    assert len(asked(one, list(range(1000)))) == 64
    assert len(asked(one, [GRANULE + i for i in range(100)])) == 4
    one = rule("def mine(resident_top_mib):\n    return resident_top_mib < 0.25\n")
    assert len(asked(one, list(range(1000)))) == 64


def test_memory_on_the_top_tier_is_that_of_the_process() -> None:
    memory = laid_out([Layout(2 * MIB, nid=0), Layout(8, mm=1)], [8 * MIB, 64 * MIB])
    one = rule("def mine(mm, resident_top_mib, state):\n    state[mm] = resident_top_mib\n"
               "    return True\n", memory)  # fmt: skip
    asked(one, [3, GRANULE])
    assert one.state[:2].tolist() == [2.0, 0.0]


REFUSED = {
    "def f(:\n    return True": "line 1: not Python",
    "LEAST = 3\n": "line 1: it has no function",
    "import os\ndef f():\n    return True\n": "line 1: a policy imports nothing",
    "def f():\n    import os\n    return True\n": "line 2: a policy imports nothing",
    "def f(temperature):\n    return True\n": "line 1: f: argument 'temperature' is none of now_ms",
    "def f(heat=3):\n    return True\n": "line 1: f: arguments are plain names without defaults",
    "def f(*heat):\n    return True\n": "arguments are plain names",
    "@cache\ndef f():\n    return True\n": "f: a policy has no decorators",
    "def f():\n    return True\ndef g():\n    return True\n": "line 3: a policy is one function",
    "def f(heat):\n    while heat:\n        heat -= 1\n    return True\n": "a policy has no while",
    "def f(heat):\n\n    return heat ** 2 > 4\n": "line 3: a policy uses no powers",
    "def f(state):\n    return state.sum() > 1\n": "line 2: state.sum(): a policy calls abs",
    "def f(state):\n    return state.size > 1\n": "line 2: a policy uses no attributes",
    "def f():\n    return open('x')\n": "line 2: open(): a policy calls abs, bool",
    "def f():\n    return f()\n": "line 2: f(): a policy calls",
    "def f():\n    return __builtins__\n": "line 2: __builtins__: no such name",
    "def f(heat):\n    x = 1\n    return heta > x\n": "line 3: heta: no such name",
    "A = B\ndef f():\n    return True\n": "line 1: B: no such name",
    "LIST = [1]\ndef f():\n    return True\n": "line 1: a policy names numbers",
    "WORD = 'a'\ndef f():\n    return True\n": "line 1: a policy names numbers",
    "print(1)\ndef f():\n    return True\n": "line 1: a policy holds its function and NAME",
}  # fmt: skip


@pytest.mark.parametrize("text", REFUSED)
def test_what_a_policy_may_not_say_is_refused_with_its_line(text: str) -> None:
    with pytest.raises(PolicyError) as told:
        read_policy("mine.py", text)
    assert str(told.value).startswith("mine.py, line ")
    assert REFUSED[text] in str(told.value)
    assert "\n" not in str(told.value)


@pytest.mark.compiled
@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("def f(heat, state):\n    return state > heat\n", "line 1: does not compile: "),
        ("def f(heat):\n    return heat\n", "line 1: f returns int64; a policy returns True"),
        ("def f(heat):\n    if heat > 2:\n        return True\n", "returns"),
        ("def f(heat):\n    pass\n", "returns none"),
        ("def f(heat, state):\n    y = state[0]\n    return y[heat] > 2\n", "line 3: does not"),
    ],
)  # fmt: skip
def test_what_does_not_compile_or_decide_is_refused_with_its_line(text: str, reason: str) -> None:
    with pytest.raises(PolicyError) as told:
        rule(text, file="mine.py")
    assert str(told.value).startswith("mine.py, line ")
    assert reason in str(told.value)
    assert "\n" not in str(told.value)


@pytest.mark.compiled
def test_a_policy_cannot_write_beyond_its_state() -> None:
    one = rule(f"def f(state):\n    state[{STATE_SIZE}] = 1\n    return True\n")
    with pytest.raises(
        PolicyError, match=f"an index of state should be within 0 .. {STATE_SIZE - 1}"
    ):
        asked(one, [1])


def shipped(name: str, memory: Memory | None = None) -> UserPolicy:
    return rule((SHIPPED / name).read_text(encoding="utf-8"), memory, name)


def test_young_and_hot_promotes_on_second_sight_within_two_seconds() -> None:
    one = shipped("young_and_hot.py")
    assert asked(one, [1, 2, 3, 4], latency=[0, 2000, 2001, 1 << 40]) == [1, 2]
    assert asked(one, [1]) == [], "nobody knows"
    assert len(asked(one, list(range(2000)), latency=[1] * 2000)) == 5 * MIB, "down to high"


def test_fair_share_ends_at_half_of_the_target_for_two_and_at_64_mib_a_second() -> None:
    one = shipped("fair_share.py")
    assert len(asked(one, list(range(2000)))) == 4 * MIB
    large = laid_out([Layout(1, mm=1), Layout(100, 9)], [1 << 20, 1 << 20])
    one = shipped("fair_share.py", large)
    one._around = one._around._replace(size=4096.0)
    folios = [GRANULE + i for i in range(16)] + [2 * GRANULE + i for i in range(16)]
    folios += [3 * GRANULE + i for i in range(16)]
    assert len(asked(one, folios, now_ms=1000)) == 32
    assert len(asked(one, folios, now_ms=1999)) == 0
    assert len(asked(one, folios, now_ms=2000)) == 32
