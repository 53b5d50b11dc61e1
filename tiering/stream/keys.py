"""Every Redis key in one file. The queue library keeps its own under `rq:`."""

PREFIX = "tierscope:"

RUNS = PREFIX + "runs"
"""Sorted set: run id -> number of its creation."""

RUNS_CREATED = PREFIX + "runs:created"
"""Counter of runs ever created."""

CHANGED = PREFIX + "runs:changed"
"""Sorted set: run id -> revision of its last change."""

REVISION = PREFIX + "runs:revision"
"""Counter of changes."""

CLAIMED = PREFIX + "runs:claimed"
"""Set: runs with an attempt that are not final."""

FINISHED = PREFIX + "runs:finished"
"""Sorted set: final runs without a tag -> number of their creation."""

WITH_ROWS = PREFIX + "runs:with-rows"
"""Sorted set: those of them that still have their blocks."""

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


def about(run_id: str) -> list[str]:
    """The keys that scripts.py calls by name, in its order."""
    own = [meta(run_id), lease(run_id), blocks(run_id), control(run_id), control_log(run_id)]
    return [*own, RUNS, CHANGED, REVISION, CLAIMED, FINISHED, WITH_ROWS]
