"""Changing live knobs of a running simulation."""

from typing import TYPE_CHECKING, Any, get_args, get_type_hints

from pydantic import TypeAdapter, ValidationError

from tiering.simulation.kdamond import KdamondThread
from tiering.simulation.kmigrated import KmigratedThread
from tiering.simulation.rooms import SECTIONS

if TYPE_CHECKING:
    from tiering.simulation.loop import Simulation

_THREADS: dict[str, type[KmigratedThread | KdamondThread]] = {
    "kmigrated": KmigratedThread, "damos_migrate_cold": KdamondThread,
}  # fmt: skip
"""Sections whose knobs threads have."""


class KnobError(ValueError):
    """One sentence naming the knob, the value and what is allowed."""


class Tuning:
    """Validates and routes knob changes; remembers the values in force."""

    def __init__(self, simulation: "Simulation") -> None:
        self._simulation = simulation
        self._specs = simulation.scenario.knob_specs()
        self.values = simulation.scenario.knob_values()

    def apply(self, path: str, value: Any) -> dict[str, Any]:
        """See Simulation.set_knob."""
        spec = self._specs.get(path)
        if spec is None:
            raise KnobError(f"{path}: no such knob in this run; it has {', '.join(self._specs)}")
        if not spec.knob.live:
            raise KnobError(f"{path} = {value}: start-only; it needs a restart of the run")
        hint = get_type_hints(SECTIONS[spec.section], include_extras=True)[spec.name]
        if spec.kind == "float" and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if isinstance(value, float) and spec.kind == "int" and value.is_integer():
            value = int(value)
        try:
            value = TypeAdapter(hint).validate_python(value, strict=get_args(hint)[0] is not bool)
        except ValidationError:
            raise KnobError(f"{path} = {value}: allowed is {spec.allowed}") from None
        simulation = self._simulation
        old, self.values[path] = self.values[path], value
        now = simulation.time_ns
        if spec.section in simulation.sources:
            simulation.sources[spec.section].retune(spec.name, value, now)
        elif spec.section == "migration":
            simulation.queue.retune(spec.name, value)
        elif spec.section == "coldest_first" and simulation.coldest is not None:
            simulation.coldest.retune(spec.name, value)
        elif spec.section in _THREADS:
            for thread in simulation.threads:
                if isinstance(thread, _THREADS[spec.section]):
                    thread.retune(spec.name, value)
        else:
            simulation.filters.retune(spec.section, spec.name, value)
        unit = f" {spec.knob.unit}" if spec.knob.unit else ""
        text = f"knob: {path} {old} -> {value}{unit}"
        event = {"t_ns": now, "kind": "knob", "knob": path, "value": value, "text": text}
        simulation.events.append(event)
        return {"t_ns": now, "knob": path, "value": value}
