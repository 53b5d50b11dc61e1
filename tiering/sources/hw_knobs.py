"""Knobs of hardware sampling: IBS, PEBS and their like (docs/model.md#hardware-samples)."""

from typing import Annotated, NamedTuple

from tiering.model.knobs import Knob

_IBS = "AMD IBS memory profiler of the pghot series, v7"
_GUESS = "not calibrated"


class HwSample(NamedTuple):
    """Knobs of the sampler; what it counts are accesses that reach memory."""

    sample_period: Annotated[
        int,
        Knob("accesses", 10, 134_217_727, "One access in so many is sampled, chosen at random.",
             _IBS + ": period of 10,000 ops", live=True),
    ] = 10_000  # fmt: skip
    latency_min_ns: Annotated[
        float,
        Knob("ns", 0, 100_000, "Accesses that take less are not sampled; 0 = all are.",
             _IBS + ": latency filter, in steps of 128 cycles", live=True),
    ] = 0.0  # fmt: skip
    buffer_nr: Annotated[
        int,
        Knob("samples", 1, 16_777_216, "Samples that wait for the thread, of all CPUs; what comes "
             "while it is full is lost.", _GUESS),
    ] = 65_536  # fmt: skip
    drain_ms: Annotated[
        int,
        Knob("ms", 10, 10_000, "The thread hands samples on so often.", _GUESS, live=True),
    ] = 10  # fmt: skip
    interrupt_ns: Annotated[
        float,
        Knob("ns", 0, 100_000, "Time that a sample takes from the task it interrupts.",
             "an interrupt and its handler; " + _GUESS),
    ] = 1000.0  # fmt: skip
    sample_ns: Annotated[
        float,
        Knob("ns", 0, 100_000, "CPU time of the thread for a sample.", _GUESS),
    ] = 200.0  # fmt: skip
