"""Oracle O6: promotion under a rate limit, in whole simulations.

Accounting periods are seconds of the clock. All folios are useful to every scan, so demand is above
the limit until the last one has risen.
"""

from typing import Any

import numpy as np
import pytest

from tests.simulation.scenarios import composed, finished

LIMIT_MIB_S, SIZE_MIB = 4, 40
PAGES_S = LIMIT_MIB_S * 256


@pytest.mark.parametrize("order", [0, 4])
@pytest.mark.parametrize("owner", ["scanner", "thread"])
def test_o6_what_rises_is_the_limit_in_every_period_until_all_has_risen(
    owner: str, order: int
) -> None:
    app = {"threads": 4, "vmas": [{"size_mib": float(SIZE_MIB), "node": "CXL", "order": order}]}
    changes: dict[str, Any] = {
        "migration__rate_limit_mib_s": LIMIT_MIB_S, "migration__owner": owner, "until_s": 12.0,
        "pte_scan__scan_period_ms": 400, "pte_scan__ignore_threshold": 1,
    }  # fmt: skip
    _, rows, _ = finished(composed([app], **changes))
    ends = rows[rows["time_ns"] % 10**9 == 0]["pgpromote_success"]
    risen = np.diff(ends, prepend=0.0).tolist()
    full = SIZE_MIB // LIMIT_MIB_S
    assert risen == [PAGES_S] * full + [0.0] * (12 - full)
    seconds = rows["time_ns"] / 1e9
    by_fluid = seconds * PAGES_S  # a period's pages may come at its begin
    assert (rows["pgpromote_success"] <= by_fluid + PAGES_S).all()
    assert seconds[np.argmax(rows["pgpromote_success"] == SIZE_MIB * 256)] > full - 1
    assert rows["migrate_limited"][-1] > 0


RULES: dict[str, dict[str, Any]] = {
    "freq_threshold": {"rooms__hotness": "two_windows", "two_windows__window_ms": 500},
    "user_policy": {"rooms__hotness": "last_report", "user_policy__file": "fair_share.py"},
}  # fmt: skip


@pytest.mark.parametrize("rule", RULES)
def test_o6_the_limit_is_that_of_migration_whatever_rule_lets_rise(rule: str) -> None:
    """A policy that limits by itself lets rise no more than the smaller of both."""
    app = {"threads": 4, "vmas": [{"size_mib": float(SIZE_MIB), "node": "CXL"}]}
    changes: dict[str, Any] = {
        "migration__rate_limit_mib_s": LIMIT_MIB_S, "until_s": 8.0, "rooms__promotion": rule,
        "pte_scan__scan_period_ms": 400, "pte_scan__ignore_threshold": 1,
    }  # fmt: skip
    _, rows, _ = finished(composed([app], **changes | RULES[rule]))
    ends = rows[rows["time_ns"] % 10**9 == 0]["pgpromote_success"]
    risen = np.diff(ends, prepend=0.0).tolist()
    assert max(risen) == PAGES_S
    assert risen[2:] == [PAGES_S] * 6


def test_o6_without_a_limit_all_rises_within_the_first_period() -> None:
    """Negative control."""
    app = {"threads": 4, "vmas": [{"size_mib": float(SIZE_MIB), "node": "CXL"}]}
    _, rows, _ = finished(composed([app], until_s=1.0))
    assert rows["pgpromote_success"][-1] == SIZE_MIB * 256
    assert rows["migrate_limited"][-1] == 0
