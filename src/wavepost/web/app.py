"""Puts the web together."""

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline

from wavepost import __version__
from wavepost.bootstrap import Service
from wavepost.web import problems
from wavepost.web.links import TrustedProxies
from wavepost.web.middleware import RequestLog, SmallBodies
from wavepost.web.openapi import describe_problems
from wavepost.web.routes import documentation, operations, pages, record, records, uploads, users
from wavepost.web.security import OneFraming, SecurityHeaders, cross_origin
from wavepost.web.tus import TusHeaders


def create_app(service: Service) -> FastAPI:
    """The ASGI application over an open `service`."""
    # The pages of /docs load nothing from elsewhere: many who run this have no way out.
    app: FastAPI = FastAPIOffline(
        title="wavepost",
        summary="POST a WAV, get an MP3 link.",
        version=__version__,
        static_url=documentation.STATIC_URL,
        docs_url=None,
        redoc_url=None,
        # They would lead where Host says, by plain HTTP.
        redirect_slashes=False,
    )
    app.state.service = service
    # What is asked for most is looked for first.
    for routes in (record, records, uploads, users, operations, pages, documentation):
        app.include_router(routes.router)
    app.router.routes.append(pages.static_files)
    problems.add_handlers(app)
    describe_problems(app)
    # The last one added is the first to see a request.
    app.add_middleware(SmallBodies)
    app.add_middleware(OneFraming)
    app.add_middleware(TusHeaders)
    app.add_middleware(TrustedProxies, networks=service.settings.trusted_proxies)
    if service.settings.cors_origins:
        app.add_middleware(cross_origin(service.settings.cors_origins))
    app.add_middleware(RequestLog)
    app.add_middleware(SecurityHeaders)
    return app
