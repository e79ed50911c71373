"""The guide over HTTP: typed requests, a desk that sheds load, metrics, logs without personal data, and the page."""

import hashlib
import hmac
import json
import logging
import sys
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from shopguide.errors import ConfigError, ModelError, RunError, ShopguideError
from shopguide.guide.desk import BusyError, Desk
from shopguide.guide.guide import Served, UnknownProductError
from shopguide.guide.images import picture_file
from shopguide.guide.limits import BodyLimit
from shopguide.guide.requests import (
    AnswerRequest,
    RecommendRequest,
    ReplyRequest,
    SearchRequest,
    SimilarRequest,
    UnderstandRequest,
)
from shopguide.guide.results import Answer, Item, Need, Results, Service
from shopguide.guide.work import work_of

PAGE = Path(__file__).parent / "page"
PAGE_FILES = {"index.html": "text/html", "app.js": "text/javascript", "style.css": "text/css"}
POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'"
PICTURE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
"""A shop's drawing may hold a script: it is not run."""
SHORT = 0.0005
"""Seconds that one of two busy threads may keep the other waiting: a model's pass waits hundreds of times."""
LOG = logging.getLogger("shopguide.serve")


@dataclass(frozen=True)
class Limits:
    """What the service takes on."""

    together: int = 16
    """Requests that the models answer by one pass."""
    waiting: int = 64
    """Requests that may wait; beyond them, it answers 503."""
    seconds: float = 5.0
    """That one may take."""
    body_bytes: int = 1 << 16


@dataclass
class Source:
    """The shop that is served; another one may take its place between two requests."""

    shop: Served
    keys: Sequence[str] = field(default=(), repr=False)
    renewing: threading.Lock = field(default_factory=threading.Lock, repr=False)


class Told(BaseModel):
    """An error."""

    error: str


ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"model": Told, "description": told}
    for status, told in {
        400: "the body is no text, or ended before it was whole",
        401: "no key, or none that is known",
        404: "no such product",
        408: "the body did not come in time",
        413: "the body is too long",
        422: "the request is not as it should be",
        503: "too many requests: ask again after Retry-After seconds",
    }.items()
}


def make_app(source: Source, limits: Limits) -> FastAPI:
    """The application.

    Args:
        source: what answers.
        limits: of the service.
    """
    desk = Desk(lambda kind: work_of(source.shop.guide, kind), limits.together, limits.waiting, limits.seconds)

    @asynccontextmanager
    async def life(_app: FastAPI) -> AsyncIterator[None]:
        desk.start()
        yield
        await desk.stop()

    app = FastAPI(title="shopguide", version="1", lifespan=life, docs_url=None, redoc_url=None)
    app.add_middleware(BodyLimit, most=limits.body_bytes, seconds=limits.seconds)
    _watch(app, desk, source)
    _errors(app)
    _api(app, desk)
    _files(app, source, desk)
    return app


def _api(app: FastAPI, desk: Desk) -> None:
    def route(kind: str, request: type[BaseModel], answer: Any, told: str) -> None:
        async def ask(body: Any) -> Any:
            return await desk.ask(kind, body)

        ask.__annotations__ = {"body": request, "return": answer}
        app.post(f"/api/{kind}", name=kind, summary=told, responses=ERRORS)(ask)

    route("understand", UnderstandRequest, Need, "What a shopper needs")
    route("search", SearchRequest, Results, "Products that meet a query")
    route("similar", SimilarRequest, list[Item], "Products like one")
    route("recommend", RecommendRequest, list[Item], "What comes next for a shopper")
    route("answer", AnswerRequest, Answer, "An answer and what it rests on; null where it is not known")
    route("reply", ReplyRequest, Service, "What the customer service says to a message")

    @app.get("/api/products/{item_id:path}", responses=ERRORS)
    async def product(item_id: str) -> Item:
        """A product."""
        found: Item = await desk.ask("product", item_id)
        return found


def _files(app: FastAPI, source: Source, desk: Desk) -> None:
    @app.get("/health")
    async def health() -> dict[str, Any]:
        """That it is there, how many products it knows, and by which tasks' models."""
        guide = source.shop.guide
        return {"status": "ok", "products": len(guide.shelf), "tasks": sorted(guide.models), "waiting": desk.waiting}

    @app.get("/images/{item_id:path}", include_in_schema=False)
    async def image(item_id: str) -> Response:
        shop = source.shop
        found = picture_file(shop.root, shop.guide.shelf.product(shop.guide.row(item_id))["image"])
        if found is None:
            raise HTTPException(404, "expected a picture of this product, found none")
        return FileResponse(found[0], media_type=found[1], headers={"Content-Security-Policy": PICTURE_POLICY})

    @app.get("/{name}", include_in_schema=False)
    async def page(name: str) -> Response:
        if name not in PAGE_FILES:
            raise HTTPException(404, "expected a page of this service, found none")
        return _page_file(name)

    @app.get("/", include_in_schema=False)
    async def index() -> Response:
        return _page_file("index.html")


def _page_file(name: str) -> Response:
    headers = {"Content-Security-Policy": POLICY, "Cache-Control": "no-cache"}
    return FileResponse(PAGE / name, media_type=PAGE_FILES[name], headers=headers)


def _errors(app: FastAPI) -> None:
    async def invalid(_request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return _told(422, "; ".join(map(_fault, error.errors()[:5])))

    async def mistake(_request: Request, error: Exception) -> Response:
        return _told(404 if isinstance(error, UnknownProductError) else 422, str(error))

    async def busy(_request: Request, error: Exception) -> Response:
        assert isinstance(error, BusyError)
        return _told(503, f"too many requests: {error}", {"Retry-After": str(error.seconds)})

    async def refused(_request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return _told(error.status_code, str(error.detail), error.headers)

    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(ShopguideError, mistake)
    app.add_exception_handler(BusyError, busy)
    app.add_exception_handler(HTTPException, refused)


def _fault(error: dict[str, Any]) -> str:
    if error["type"] == "json_invalid":
        return f"body: expected JSON, found a fault at character {error['loc'][-1]}"
    place = ".".join(str(part) for part in error["loc"] if part != "body") or "body"
    return f"{place}: {error['msg'].removeprefix('Value error, ')}"


def _told(status: int, words: str, headers: Any = None) -> JSONResponse:
    return JSONResponse({"error": words.encode("utf-8", "replace").decode()}, status, headers)


def _watch(app: FastAPI, desk: Desk, source: Source) -> None:
    """Keys, metrics and logs, around everything else."""
    registry = CollectorRegistry()
    asked = Counter("shopguide_requests", "Requests by path and status", ["path", "status"], registry=registry)
    took = Histogram("shopguide_seconds", "Seconds of a request by path", ["path"], registry=registry)
    Gauge("shopguide_waiting", "Requests that wait", registry=registry).set_function(lambda: desk.waiting)
    known = [_digest(key) for key in source.keys]

    @app.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        return Response(generate_latest(registry), media_type="text/plain; version=0.0.4")

    @app.middleware("http")
    async def watch(request: Request, further: Callable[[Request], Awaitable[Response]]) -> Response:
        begun = time.perf_counter()
        if known and request.scope["path"].startswith("/api/") and not _is_known(request, known):
            response: Response = _told(
                401, "expected the header Authorization: Bearer <key> with a key of this service"
            )
        else:
            try:
                response = await further(request)
            except Exception as error:
                LOG.error(json.dumps({"path": _path(request), "error": type(error).__name__}))
                response = _told(500, "the service failed at this request")
        path, seconds = _path(request), time.perf_counter() - begun
        asked.labels(path, response.status_code).inc()
        took.labels(path).observe(seconds)
        LOG.info(json.dumps({"path": path, "status": response.status_code, "ms": round(1000 * seconds, 1)}))
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response


def _path(request: Request) -> str:
    """As the route names it: no shopper's words, and no end of different ones."""
    route = request.scope.get("route")
    return getattr(route, "path", "other")


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()


def _is_known(request: Request, known: Sequence[bytes]) -> bool:
    """In a time that tells nothing of the keys."""
    own = _digest(request.headers.get("authorization", "").removeprefix("Bearer "))
    return sum(hmac.compare_digest(own, key) for key in known) > 0


def log_to_stderr() -> None:
    """One JSON object a request."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter('{"time": "%(asctime)s", "level": "%(levelname)s", "request": %(message)s}'))
    LOG.addHandler(handler)
    LOG.setLevel(logging.INFO)
    LOG.propagate = False


def reload(source: Source, make: Callable[[], Served]) -> None:
    """Put another shop in the place of the one that is served; requests go on meanwhile, and none is lost.

    Args:
        source: of the service.
        make: the other one; if it fails, the one at work stays.
    """
    with source.renewing:  # one at a time, the last one last
        before = sys.getswitchinterval()
        sys.setswitchinterval(SHORT)
        try:
            source.shop = make()
        except (ConfigError, ModelError, RunError) as error:
            LOG.error(json.dumps({"reload": f"failed: {error}"}, ensure_ascii=False))
        except Exception as error:  # whose words may be those of records
            LOG.error(json.dumps({"reload": f"failed: {type(error).__name__}; the command, typed again, tells why"}))
        else:
            LOG.info(json.dumps({"reload": "done", "products": len(source.shop.guide.shelf)}))
        finally:
            sys.setswitchinterval(before)
