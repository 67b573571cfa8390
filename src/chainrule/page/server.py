"""The server of the page: on this machine alone, for those who have the link.

It binds to loopback, answers only to its own names (another site's page that resolves to loopback is
refused), wants the link's token with everything that is not a file of the page, and lets no other origin
ask. GET changes nothing.
"""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from functools import partial
from importlib.resources import files
from time import monotonic
from typing import Any
from urllib.parse import unquote

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chainrule.errors import ArgumentError, ChainruleError
from chainrule.page import details, exports
from chainrule.page.door import Door
from chainrule.page.session import Session, Watched
from chainrule.page.setup import LIMITS, Columns

_FRAME = 1 / 30  # seconds between two frames, where the network learns at a pace
_SHARE = 0.05  # of the time for frames, where it learns as fast as it can
_REST = 1.0  # seconds between two frames at most, however long the last one took
_CURVE = 0.2  # seconds between two drawings of the curves
_BEAT = 10.0  # seconds after which a stream that has nothing to say shows that it is alive
_SWEEP = 5.0  # seconds between two looks for runs that nobody looks at
_LARGEST = 100_000  # bytes of what the page says
_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}

_Answer = Callable[[Request], Awaitable[Response]]


class _Guard:
    """Lets through what comes from the page, and adds the headers that browsers keep to."""

    def __init__(self, app: ASGIApp, door: Door) -> None:
        self._app, self._token, self._hosts = app, door.token, door.hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] += [(k.lower().encode(), v.encode()) for k, v in _HEADERS.items()]
            await send(message)

        refused = self._refused(Request(scope))
        await (self._app if refused is None else refused)(scope, receive, with_headers)

    def _refused(self, request: Request) -> Response | None:
        headers = request.headers
        if headers.get("host") not in self._hosts:
            return _error("the page must be asked for by the address in its link.", 421)
        origin = headers.get("origin")
        if origin is not None and origin.removeprefix("http://") not in self._hosts:
            return _error("only the page itself may ask.", 403)
        if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return _error("only the page itself may ask.", 403)
        if request.url.path.startswith("/api/"):
            said = headers.get("authorization", "").removeprefix("Bearer ")
            if not secrets.compare_digest(said.encode(), self._token.encode()):
                return _error(
                    "the link's token must be given; open the link that chainrule watch printed.", 401
                )
        return None


class Server:
    """Serves a session until it is told to stop."""

    def __init__(self, session: Session, door: Door) -> None:
        self.session, self._door = session, door
        app = Starlette(routes=self._routes())
        config = uvicorn.Config(
            _Guard(app, door),
            log_level="warning",
            access_log=False,
            lifespan="off",
            server_header=False,
            date_header=False,
            timeout_graceful_shutdown=1,
        )
        self._uvicorn = uvicorn.Server(config)

    def run(self) -> None:
        """Serve until Ctrl-C, or ``stop``."""
        with suppress(KeyboardInterrupt):
            asyncio.run(self._serve())

    def stop(self) -> None:
        """Make ``run`` return soon."""
        self._uvicorn.should_exit = True

    async def _serve(self) -> None:
        sweeper = asyncio.create_task(self._sweep())
        try:
            await self._uvicorn.serve(sockets=[self._door.socket])
        finally:
            sweeper.cancel()
            self.session.close()
            self._door.socket.close()

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(_SWEEP)
            self.session.sweep()

    def _routes(self) -> list[Route]:
        page = files("chainrule.page") / "static"
        served = {entry.name: entry.read_bytes() for entry in page.iterdir() if entry.is_file()}

        def answer(path: str, method: str, work: _Answer) -> Route:
            return Route(path, partial(_telling, work), methods=[method])

        def of_run(path: str, method: str, work: Callable[[Watched, Request], Awaitable[Response]]) -> Route:
            async def found(request: Request) -> Response:
                return await work(self.session.run(request.path_params["run"]), request)

            return answer("/api/runs/{run}" + path, method, found)

        async def static(request: Request) -> Response:
            name = request.path_params.get("name", "index.html")
            if name == "derivation.css":
                from chainrule.explain.documents import (
                    FORMULAS,  # derivations are loaded when one is asked for
                )

                return Response(FORMULAS, media_type="text/css")
            if name not in served:
                return _error("the page has no such file.", 404)
            kind = _TYPES.get("." + name.rpartition(".")[2], "application/octet-stream")
            return Response(served[name], media_type=kind)

        return [
            Route("/", static),
            Route("/static/{name}", static),
            answer("/api/about", "GET", self._about),
            answer("/api/tables", "POST", self._bring),
            answer("/api/runs", "POST", self._begin),
            of_run("/events", "GET", self._events),
            of_run("/rows", "GET", _rows),
            of_run("/rows", "POST", _write),
            of_run("/row", "GET", _row),
            of_run("/weight", "GET", _weight),
            of_run("/unit", "GET", _unit),
            of_run("/model", "GET", _model),
            of_run("/code", "GET", self._code),
            of_run("/end", "POST", self._end),
            *(
                of_run(f"/{name}", "POST", partial(_commanded, command))
                for name, command in _COMMANDS.items()
            ),
        ]

    async def _about(self, request: Request) -> Response:
        return JSONResponse(self.session.about())

    async def _bring(self, request: Request) -> Response:
        data = await _body(request, LIMITS["upload_bytes"])
        name = unquote(request.headers.get("x-name", ""))[:200] or "table"
        return JSONResponse(await run_in_threadpool(self.session.bring, data, name), 201)

    async def _begin(self, request: Request) -> Response:
        number, watched = await run_in_threadpool(self.session.begin, await _said(request))
        return JSONResponse({"run": number} | await run_in_threadpool(watched.frames.description), 201)

    async def _end(self, watched: Watched, request: Request) -> Response:
        self.session.end(request.path_params["run"])
        return Response(status_code=204)

    async def _events(self, watched: Watched, request: Request) -> Response:
        return StreamingResponse(self._frames(watched), media_type="text/event-stream")

    async def _code(self, watched: Watched, request: Request) -> Response:
        data = watched.run.setup.data
        table = self.session.name_of(data.table) if isinstance(data, Columns) else ""
        code = exports.python_code(watched.run, watched.frames.targets, table)
        return _attached(code.encode(), "network.py", "text/x-python; charset=utf-8")

    async def _frames(self, watched: Watched) -> AsyncIterator[str]:
        """A frame whenever something changed: at most 30 a second, fewer where they would slow the run."""
        run = watched.run
        before: Any = None
        curve_told, curve_of = 0.0, None
        beaten, cost, first = monotonic(), 0.0, True
        with watched.watched():
            while not (run.ended or self._uvicorn.should_exit):
                began = monotonic()
                now = (id(run.now), run.playing, run.history.newest.epoch, run.error)
                if now != before:
                    before = now
                    frame = await run_in_threadpool(watched.frames.frame)
                    # The first is compiled, which says nothing of what the next ones take.
                    cost, first = (0.0 if first else monotonic() - began), False
                    past = (run.history.newest.epoch, id(run.history))
                    if past != curve_of and (began - curve_told > _CURVE or not run.playing):
                        curve_told, curve_of = began, past
                        frame |= {"curve": watched.frames.curve(), "moments": run.history.epochs}
                    yield f"data: {json.dumps(frame, allow_nan=False)}\n\n"
                    beaten = began
                elif began - beaten > _BEAT:
                    yield ": beat\n\n"
                    beaten = began
                full = run.playing and run.pace is None
                pause = max(_FRAME, min(cost / _SHARE, _REST)) if full else _FRAME
                await asyncio.sleep(max(0.0, pause - (monotonic() - began)))


async def _telling(work: _Answer, request: Request) -> Response:
    """What is refused is told in a sentence."""
    try:
        return await work(request)
    except ChainruleError as error:
        return _error(str(error), 400)


def _error(message: str, status: int) -> Response:
    return JSONResponse({"error": message}, status)


async def _body(request: Request, most: int) -> bytes:
    """All bytes; ArgumentError as soon as there are too many."""
    data = bytearray()
    async for piece in request.stream():
        data += piece
        if len(data) > most:
            raise ArgumentError(f"what is sent must have at most {most:,} bytes; there are more.")
    return bytes(data)


async def _said(request: Request) -> Any:
    data = await _body(request, _LARGEST)
    try:
        return json.loads(data or b"{}")
    except (ValueError, RecursionError):
        raise ArgumentError("what is sent must be JSON; it is not.") from None


def _number(request: Request, name: str, default: int | None = None) -> int:
    said = request.query_params.get(name)
    if said is None and default is not None:
        return default
    try:
        return int(said or "")
    except ValueError:
        raise ArgumentError(f"{name} must be a whole number; got {said!r}.") from None


def _row_of(request: Request) -> int | None:
    return _number(request, "row") if "row" in request.query_params else None


async def _shown(work: Callable[..., dict[str, Any]], watched: Watched, *arguments: Any) -> Response:
    return JSONResponse(await run_in_threadpool(work, watched.frames, *arguments))


async def _rows(watched: Watched, request: Request) -> Response:
    return await _shown(details.table, watched, _number(request, "from", 0), _number(request, "count", 50))


async def _row(watched: Watched, request: Request) -> Response:
    return await _shown(details.row, watched, _number(request, "row"))


async def _write(watched: Watched, request: Request) -> Response:
    """Add a row that somebody typed in."""
    said = await _said(request)
    if not isinstance(said, dict):
        raise ArgumentError("what is sent must be an object; it is not.")
    number = await run_in_threadpool(details.write, watched.frames, said.get("cells"), said.get("truth"))
    return JSONResponse({"row": number}, 201)


async def _weight(watched: Watched, request: Request) -> Response:
    return await _shown(details.weight, watched, request.query_params.get("name", ""), _row_of(request))


async def _unit(watched: Watched, request: Request) -> Response:
    place = _number(request, "layer"), _number(request, "unit")
    return await _shown(details.unit, watched, *place, _row_of(request))


async def _model(watched: Watched, request: Request) -> Response:
    data = await run_in_threadpool(exports.model_file, watched.run, watched.frames.targets)
    return _attached(data, "network.chainrule", "application/octet-stream")


def _attached(data: bytes, name: str, kind: str) -> Response:
    return Response(data, media_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})


_Command = Callable[[Watched, dict[str, Any]], None]
_COMMANDS: dict[str, _Command] = {
    "play": lambda watched, said: watched.run.play(said.get("playing", True), said.get("pace")),
    "step": lambda watched, said: watched.run.step(said.get("of", "batch")),
    "seek": lambda watched, said: watched.run.seek(said.get("epoch", 0)),
    "edit": lambda watched, said: watched.run.edit(said.get("name", ""), said.get("value")),
    "hold": lambda watched, said: watched.frames.hold(said.get("held")),
    "keep": lambda watched, said: watched.run.keep(),
    "restart": lambda watched, said: watched.run.restart(),
    "rate": lambda watched, said: watched.run.rate(said.get("learning_rate")),
}


async def _commanded(command: _Command, watched: Watched, request: Request) -> Response:
    """What the page tells a run to do, and how it is then."""
    said = await _said(request)
    if not isinstance(said, dict):
        raise ArgumentError("what is sent must be an object; it is not.")
    await run_in_threadpool(command, watched, said)
    return JSONResponse(await run_in_threadpool(watched.frames.frame))
