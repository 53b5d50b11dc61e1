"""What a metric is: one column group of a row."""

from dataclasses import dataclass
from typing import Literal

Scope = Literal["machine", "node", "mm", "mm_node", "thread"]


@dataclass(frozen=True)
class Metric:
    """One column group of a row. `counter` metrics never decrease; the rest are gauges."""

    name: str
    unit: str
    scope: Scope
    meaning: str
    counter: bool = False

    @property
    def field(self) -> str:
        """Field name in the row dtype, unique across scopes, e.g. `mm.scan_period_ms`."""
        return self.name if self.scope == "machine" else f"{self.scope}.{self.name}"
