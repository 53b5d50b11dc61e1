"""Every Redis key in one file. The queue library keeps its own under `rq:`."""

PREFIX = "tierscope:"

RUNS = PREFIX + "runs"
"""Sorted set: run id -> number of its creation."""

RUNS_CREATED = PREFIX + "runs:created"
"""Counter of runs ever created."""

MAINTENANCE = PREFIX + "maintenance"
"""Held by the one worker that looks for lost runs at the moment."""

STARTING = PREFIX + "workers:starting"
"""String with a time to live: workers are on their way."""

QUEUE = "runs"
"""Name of the RQ queue (`rq:queue:runs`)."""


def meta(run_id: str) -> str:
    """Hash: the metadata of the run."""
    return f"{PREFIX}run:{run_id}:meta"


def blocks(run_id: str) -> str:
    """Stream: entry `step+1-0` holds field `b`, one encoded block."""
    return f"{PREFIX}run:{run_id}:blocks"


def control(run_id: str) -> str:
    """Stream: field `m` holds one control message as JSON."""
    return f"{PREFIX}run:{run_id}:control"


def control_log(run_id: str) -> str:
    """List: what the run applied and when, JSON, oldest first."""
    return f"{PREFIX}run:{run_id}:log"


def lease(run_id: str) -> str:
    """String with a time to live: number of the attempt that is alive."""
    return f"{PREFIX}run:{run_id}:lease"


def all_of(run_id: str) -> tuple[str, ...]:
    """Every key that belongs to the run alone."""
    return meta(run_id), blocks(run_id), control(run_id), control_log(run_id), lease(run_id)
