"""The pages for people: the one that uploads and lists, and the one for who gets a link."""

from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import Mount

from wavepost.errors import NotFound, WavepostError
from wavepost.web.caller import BaseUrl, CurrentService
from wavepost.web.links import parse_id
from wavepost.web.pages import STATIC, StaticFilesOfAVersion, render

router = APIRouter(include_in_schema=False)

static_files = Mount(
    "/page/{version}", app=GZipMiddleware(StaticFilesOfAVersion(directory=STATIC), 1000)
)

NOT_FOR_SEARCH = {"X-Robots-Tag": "noindex, nofollow"}
"""A link is a key: no index should have it."""


@router.api_route("/", methods=["GET", "HEAD"])
async def home(request: Request) -> Response:
    """Where a WAV is dropped and its link is got."""
    return render("home.html", request.headers, microphone=True)


@router.api_route("/listen", methods=["GET", "HEAD"])
async def listen(request: Request, service: CurrentService, link_base: BaseUrl) -> Response:
    """The recording of a link, to be heard; what is no link gets a page that says so."""
    query = request.query_params
    try:
        record_id, user_id = parse_id(query.get("id", "")), parse_id(query.get("user", ""))
        record = await service.recordings.find(record_id, user_id)
    except WavepostError as error:
        problem = "missing" if isinstance(error, NotFound) else "unavailable"
        page = render("problem.html", request.headers, error.status, problem=problem)
    else:
        page = render(
            "listen.html",
            request.headers,
            base=link_base,
            ids=urlencode({"id": record_id, "user": user_id}),
            record=record,
            mp3=record.receipt["mp3"],
            length=_clock(record.duration),
        )
    page.headers.update(NOT_FOR_SEARCH)
    return page


def _clock(seconds: float) -> str:
    """`1:02:15`, `2:15` or `0:07`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
