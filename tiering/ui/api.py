"""The JSON API that the page's scripts use, open to other programs as well.

    POST /api/runs                       {"scenario", "seed", "overrides", "speed"} -> {"run"}
    GET  /api/runs?after=R&before=R&count=N  the list of runs, see `Bus.listed`
    POST /api/runs/tag                   {"runs", "add", "remove"} -> {"tagged"}
    POST /api/runs/delete                {"runs"} -> {"deleted"}
    GET  /api/runs/{run}                 state of the run, as on the live socket
    GET  /api/runs/{run}/blocks?after=N  blocks after step N, one after another
    POST /api/runs/{run}/control         {"cmd": "pause" | "resume" | "step" | "stop"},
                                         {"cmd": "speed", "value"}, {"cmd": "set", "knob", "value"}
    POST /api/runs/{run}/describe        {"name", "note", "tags"} -> {"run"}
    POST /api/runs/{run}/fork            {"turned", "change": {knob: value}} -> {"run"}

A refusal is {"error": one sentence} with status 400, 404 or 503.
"""

from collections.abc import Callable
from typing import Annotated, Any, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tiering.simulation.catalogue import scenario_names, scenario_path
from tiering.simulation.load import ScenarioError
from tiering.stream.bus import FINAL, Bus, BusUnavailable, UnknownRun
from tiering.ui.components.run_bar import MOST_SEED
from tiering.ui.feed import FRAME_BYTES
from tiering.ui.jobs import Jobs
from tiering.ui.run_list import Refused, delete, describe, fork, list_runs, tag
from tiering.ui.run_view import drawing, scenario_of, view
from tiering.ui.security import RUN_ID

Speed = Literal[0, 1, 10, 100]
Value = bool | int | float | str


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NewRun(_Strict):
    """What Run sends."""

    scenario: str = Field(max_length=200)
    seed: int = Field(ge=0, le=MOST_SEED)
    overrides: dict[str, Value] = Field(default={}, max_length=200)
    speed: Speed = 10


class Plain(_Strict):
    cmd: Literal["pause", "resume", "step", "stop"]


class SetSpeed(_Strict):
    cmd: Literal["speed"]
    value: Speed


class SetKnob(_Strict):
    cmd: Literal["set"]
    knob: str = Field(max_length=200)
    value: Value


Control: TypeAdapter[Plain | SetSpeed | SetKnob] = TypeAdapter(
    Annotated[Plain | SetSpeed | SetKnob, Field(discriminator="cmd")]
)


def routes(bus: Bus, jobs: Jobs) -> list[Route]:
    """The routes of the API; the synchronous bus is asked in threads."""

    async def new_run(request: Request) -> Response:
        body = await request.body()
        return await _answer(lambda: {"run": submit(jobs, body)})

    async def state(request: Request) -> Response:
        run_id = request.path_params["run"]
        return await _answer(
            lambda: {**view(bus, jobs, _known(run_id)), "drawing": drawing(bus, run_id)}
        )

    async def blocks(request: Request) -> Response:
        run_id, after = request.path_params["run"], request.query_params.get("after", "-1")
        return await _answer(lambda: read_blocks(bus, _known(run_id), after))

    async def control(request: Request) -> Response:
        run_id, body = request.path_params["run"], await request.body()
        return await _answer(lambda: steer(bus, jobs, _known(run_id), body))

    async def listing(request: Request) -> Response:
        asked = [request.query_params.get(name, "") for name in ("after", "before", "count")]
        return await _answer(lambda: list_runs(bus, jobs, *asked))

    async def tags(request: Request) -> Response:
        body = await request.body()
        return await _answer(lambda: tag(bus, body))

    async def deletion(request: Request) -> Response:
        body = await request.body()
        return await _answer(lambda: delete(jobs, body))

    async def description(request: Request) -> Response:
        run_id, body = request.path_params["run"], await request.body()
        return await _answer(lambda: describe(bus, _known(run_id), body))

    async def forking(request: Request) -> Response:
        run_id, body = request.path_params["run"], await request.body()
        return await _answer(lambda: fork(bus, jobs, _known(run_id), body))

    return [
        Route("/api/runs", listing),
        Route("/api/runs", new_run, methods=["POST"]),
        Route("/api/runs/tag", tags, methods=["POST"]),
        Route("/api/runs/delete", deletion, methods=["POST"]),
        Route("/api/runs/{run}/describe", description, methods=["POST"]),
        Route("/api/runs/{run}/fork", forking, methods=["POST"]),
        Route("/api/runs/{run}", state),
        Route("/api/runs/{run}/blocks", blocks),
        Route("/api/runs/{run}/control", control, methods=["POST"]),
        Route("/api/{path:path}", nothing),
    ]


def nothing(request: Request) -> Response:
    """The answer to any other path under /api."""
    return JSONResponse({"error": f"There is nothing at /api/{request.path_params['path']}."}, 404)


async def _answer(work: Callable[[], dict[str, Any] | bytes]) -> Response:
    """Do the work in a thread; what is refused becomes a sentence."""
    try:
        answer = await run_in_threadpool(work)
    except ValidationError as error:
        problem = error.errors()[0]
        key = ".".join(str(part) for part in problem["loc"]) or "body"
        return JSONResponse({"error": f"{key}: {problem['msg']}"}, 400)
    except (Refused, ScenarioError) as error:
        return JSONResponse({"error": str(error)}, 400)
    except UnknownRun as error:
        return JSONResponse({"error": str(error)}, 404)
    except BusUnavailable as error:
        return JSONResponse({"error": str(error)}, 503)
    if isinstance(answer, bytes):
        return Response(answer, media_type="application/octet-stream")
    return Response(orjson.dumps(answer), media_type="application/json")


def submit(jobs: Jobs, body: bytes) -> str:
    """Queue the run that the body asks for; returns its id."""
    wanted = NewRun.model_validate_json(body)
    if wanted.scenario not in scenario_names():
        raise Refused(f"There is no scenario {wanted.scenario!r} in the gallery.")
    text = scenario_path(wanted.scenario).read_text(encoding="utf-8")
    return jobs.submit(text, wanted.scenario, wanted.seed, wanted.overrides, float(wanted.speed))


def steer(bus: Bus, jobs: Jobs, run_id: str, body: bytes) -> dict[str, Any]:
    """Pass a control message on; a knob that cannot be set is refused here already."""
    message = Control.validate_json(body)
    meta = bus.meta(run_id)
    if meta.get("status") in FINAL:
        raise Refused(f"The run {run_id} has ended: {meta['status']}.")
    if isinstance(message, SetKnob):
        _check_knob(meta, message)
    if isinstance(message, Plain) and message.cmd == "stop":
        jobs.cancel(run_id)
    else:
        jobs.send(run_id, message.model_dump())
    return {"sent": message.model_dump()}


def _check_knob(meta: dict[str, str], message: SetKnob) -> None:
    spec = scenario_of(meta).knob_specs().get(message.knob)
    if spec is None:
        raise Refused(f"{message.knob}: this run has no such knob.")
    if not spec.knob.live:
        raise Refused(f"{message.knob}: start-only; it needs a restart of the run.")
    value, lo, hi = message.value, spec.knob.lo, spec.knob.hi
    if spec.kind == "bool":
        fits = isinstance(value, bool)
    elif spec.kind == "choice":
        fits = value in spec.choices
    else:
        numeric = isinstance(value, int | float) and not isinstance(value, bool)
        whole = spec.kind == "float" or (numeric and float(value).is_integer())
        fits = numeric and whole and (lo is None or lo <= value) and (hi is None or value <= hi)  # type: ignore[operator]
    if not fits:
        raise Refused(f"{message.knob} = {value}: allowed is {spec.allowed}.")


def read_blocks(bus: Bus, run_id: str, after: str) -> bytes:
    """Blocks after a step, about a frame of them; the reader asks on from the last one."""
    if not after.removeprefix("-").isdecimal() or len(after) > 12:
        raise Refused(f"after = {after}: a whole number is allowed.")
    bus.meta(run_id)
    blocks = bus.read(run_id, int(after), 256, 0)
    taken: list[bytes] = []
    size = 0
    for _, data in blocks:
        if taken and size + len(data) > FRAME_BYTES:
            break
        taken.append(data)
        size += len(data)
    return b"".join(taken)


def _known(run_id: str) -> str:
    if not RUN_ID.fullmatch(run_id):
        raise UnknownRun(run_id[:100])
    return run_id
