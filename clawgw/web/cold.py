"""The Quart-Trio applications: everything but the hot endpoints, and as much as is open to whoever watches."""

from pathlib import Path
from typing import Any

import orjson
import trio
from quart import Response, g, has_request_context, request, websocket
from quart_trio import QuartTrio
from werkzeug.exceptions import HTTPException

from clawgw.errors import GatewayError, InternalError, MethodNotAllowed, NotFound, Unavailable
from clawgw.web import pages, usage_pages
from clawgw.web.auth import authenticate, check_admin
from clawgw.web.bugs import report_bug
from clawgw.web.error_body import error_headers, error_json
from clawgw.web.head import Headers
from clawgw.web.service import Service

REQUEST_ID = "clawgw.request_id"
"""Where the ASGI scope holds our id of the request."""
_JSON = "application/json"
_OPEN = {"/health", "/ready"}
"""For whoever looks after the machine."""


def build_cold_app(service: Service) -> QuartTrio:
    """The application for one `service`."""
    app = _bare_app()
    _add_door(app, service)
    _add_watched_pages(app, service)
    _add_pages(app, service)
    _add_errors(app)
    return app


def build_watched_app(service: Service) -> QuartTrio:
    """As much of it as wants no key at a listener of its own."""
    app = _bare_app()
    _add_watched_pages(app, service)
    _add_errors(app)
    return app


def _bare_app() -> QuartTrio:
    app = QuartTrio("clawgw", static_folder=None)
    app.config.update(RESPONSE_TIMEOUT=None, PROVIDE_AUTOMATIC_OPTIONS=False)
    app.url_map.merge_slashes = False
    return app


def _add_door(app: QuartTrio, service: Service) -> None:
    @app.before_request
    async def who() -> None:
        if request.path not in _OPEN:
            g.caller = authenticate(Headers([*request.scope["headers"]]), service.snapshot.callers)
        if request.path == "/metrics":
            check_admin(g.caller, service.snapshot.callers)


def _add_watched_pages(app: QuartTrio, service: Service) -> None:
    @app.get("/health")
    async def health() -> Response:
        return _json(pages.health(service))

    @app.get("/ready")
    async def ready() -> Response:
        reasons = pages.complaints(service)
        if not reasons:
            degraded = service.limits.degraded
            return _json({"status": "ready"} if degraded is None else {"status": "ready", "degraded": [degraded]})
        headers = error_headers(Unavailable("not ready"))
        return Response(orjson.dumps({"status": "not ready", "reasons": reasons}), 503, headers)

    @app.get("/metrics")
    async def metrics() -> Response:
        accept = request.headers.get("accept", "")
        pages.note_state(service, trio.current_time())
        text, content_type = await trio.to_thread.run_sync(service.metrics.exposition, accept)
        return Response(text, content_type=content_type)


def _add_pages(app: QuartTrio, service: Service) -> None:
    @app.get("/v1/providers")
    async def providers() -> Response:
        return _json(pages.providers(service, trio.current_time()))

    @app.get("/v1/models")
    async def models() -> Response:
        return _json(pages.models(service, g.caller))

    @app.get("/v1/models/<path:model_id>")
    async def model(model_id: str) -> Response:
        return _json(pages.model(service, g.caller, model_id))

    @app.get("/v1/usage")
    async def usage() -> Response:
        log = Path(service.snapshot.settings.log.path)
        return _json(await usage_pages.usage(log, g.caller, request.args.to_dict(flat=False)))

    @app.get("/v1/requests/<path:request_id>")
    async def record(request_id: str) -> Response:
        log = Path(service.snapshot.settings.log.path)
        return _json(await usage_pages.record(log, g.caller, request_id))


def _add_errors(app: QuartTrio) -> None:
    @app.errorhandler(GatewayError)
    async def known(error: GatewayError) -> Response:
        return _error(error)

    @app.errorhandler(HTTPException)
    async def routing(error: HTTPException) -> Response:
        if error.code == 405:
            allow = error.get_response().headers.get("allow", "")
            return _error(MethodNotAllowed(f"this endpoint takes {allow}"), {"allow": allow})
        return _error(NotFound("there is no such endpoint; the base_url of an OpenAI client ends in /v1 here"))

    @app.errorhandler(Exception)
    async def unexpected(error: Exception) -> Response:
        report_bug(error, _request_id())
        return _error(InternalError("the gateway failed; its log says more under this request id"))


def _request_id() -> str:
    scope: Any = (request if has_request_context() else websocket).scope
    return str(scope[REQUEST_ID])


def _json(body: Any) -> Response:
    return Response(orjson.dumps(body), content_type=_JSON)


def _error(error: GatewayError, headers: dict[str, str] | None = None) -> Response:
    return Response(error_json(error, _request_id()), error.status, error_headers(error) | (headers or {}))
