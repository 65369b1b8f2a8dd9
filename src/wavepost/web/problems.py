"""Errors as `application/problem+json` (RFC 9457)."""

import json
import logging
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.routing import compile_path

from wavepost import errors
from wavepost.web.answers import ProblemAnswer

log = logging.getLogger(__name__)

MAX_ERRORS, MAX_NAME = 20, 100
"""How much of what was wrong is said back."""

CODES: dict[str, type[errors.WavepostError]] = {
    error.code: error
    for error in vars(errors).values()
    if isinstance(error, type) and hasattr(error, "code")
}


class ProblemResponse(JSONResponse):
    """A JSON answer of the problem type, in ASCII: what a field's name held may not be UTF-8."""

    media_type = "application/problem+json"

    def render(self, content: Any) -> bytes:
        """The body."""
        return json.dumps(content).encode()


class CutOff(Exception):
    """A request or an answer broke off in the middle: there is nothing more to say to anybody."""


def add_handlers(app: FastAPI) -> None:
    """Have `app` answer every error in this one shape."""
    app.add_exception_handler(errors.WavepostError, _on_error)
    app.add_exception_handler(RequestValidationError, _on_invalid_fields)
    app.add_exception_handler(HTTPException, _on_http_exception)


def problem(
    error: errors.WavepostError, request_id: str, headers: dict[str, str] | None = None
) -> Response:
    """`error` for its caller."""
    content: dict[str, Any] = {
        "type": "about:blank",
        "title": error.title,
        "status": error.status,
        "detail": error.detail,
        "code": error.code,
        "request_id": request_id,
    }
    if isinstance(error, errors.InvalidRequest) and error.errors:
        content["errors"] = error.errors
    return ProblemResponse(content, error.status, {**_headers(error), **(headers or {})})


def _headers(error: errors.WavepostError) -> dict[str, str]:
    if isinstance(error, errors.Unauthorized):
        return {"WWW-Authenticate": "Bearer"}
    if isinstance(error, errors.Busy | errors.RateLimited | errors.UploadLocked):
        return {"Retry-After": str(error.retry_after_seconds)}
    return {}


def responses(
    *codes: str, has_body: bool = False, refusals: tuple[int, ...] = ()
) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI entries for the errors that a route can answer with.

    `has_body`: the request has one, which may be unreadable (400) or late (408). `refusals` are
    other statuses of invalid requests.
    """
    pairs = [(CODES[code].status, code) for code in codes]
    also = (400, 408, *refusals) if has_body else refusals
    pairs += [(status, errors.InvalidRequest.code) for status in also]
    by_status: dict[int | str, dict[str, Any]] = {}
    for status, code in pairs:
        names = by_status.setdefault(status, {"model": ProblemAnswer, "description": ""})
        names["description"] = " · ".join(filter(None, (names["description"], f"`{code}`")))
    return by_status


async def _on_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, errors.WavepostError)
    if isinstance(error, errors.Busy | errors.StorageFull):
        cause = str(error.__cause__ or "").partition("\n")[0]
        log.warning("%s: %s %s", error.code, error.detail, cause)
    return problem(error, request.state.request_id)


async def _on_invalid_fields(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    found = error.errors()[:MAX_ERRORS]
    fields = [_field(one) for one in found]
    unparsable = any(one["type"] == "json_invalid" for one in found)
    detail = "; ".join(f"{one['field']}: {one['detail']}" for one in fields)
    return problem(
        errors.InvalidRequest(detail, fields, 400 if unparsable else 422), request.state.request_id
    )


def _field(error: dict[str, Any]) -> dict[str, str]:
    name = ".".join(str(part) for part in error["loc"][1:])[:MAX_NAME]
    if error["type"] in ("json_invalid", "model_attributes_type"):
        return {
            "field": "body",
            "detail": "send a JSON object, with Content-Type: application/json",
        }
    return {"field": name or "body", "detail": error["msg"]}


async def _on_http_exception(request: Request, error: Exception) -> Response:
    """What the framework itself refuses: an unknown path, a method, a body it can't parse."""
    assert isinstance(error, HTTPException)
    request_id = request.state.request_id
    if error.status_code == 404:
        return problem(errors.NotFound("There is nothing at this path. See /docs."), request_id)
    detail = f"{error.detail}. See /docs for what this path takes."
    headers = dict(error.headers or {})
    if error.status_code == 405 and (methods := _methods(request)):
        headers["Allow"] = ", ".join(sorted(methods))
    return problem(
        errors.InvalidRequest(detail, status=error.status_code), request_id, headers=headers
    )


def _methods(request: Request) -> set[str]:
    """Every method that the path has; the framework names those of its first route alone.

    None for pages, which the document leaves out: they have one route each.
    """
    return {
        method.upper()
        for path, operations in request.app.openapi()["paths"].items()
        if compile_path(path)[0].match(request.scope["path"])
        for method in operations
    }
