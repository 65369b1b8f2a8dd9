"""Who is asking, and the service that answers."""

from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from wavepost.bootstrap import Service
from wavepost.errors import Unauthorized
from wavepost.storage.models import User
from wavepost.web.links import base_url

_bearer = HTTPBearer(auto_error=False, description="The access token that POST /users gave.")


TOKEN_OR_NONE: list[dict[str, list[str]]] = [{_bearer.scheme_name: []}, {}]
"""For the OpenAPI document: operations that can do without the header."""


def service_of(request: Request) -> Service:
    """The service that `create_app` was given."""
    service: Service = request.app.state.service
    return service


# Coroutines all of them: what is none, FastAPI runs in a thread, which takes longer than it does.


async def _service(request: Request) -> Service:
    return service_of(request)


CurrentService = Annotated[Service, Depends(_service)]


async def _address(request: Request) -> str:
    return request.client.host if request.client else ""


CallerAddress = Annotated[str, Depends(_address)]
"""Where the request comes from: what a trusted proxy says, else the peer's address."""


async def _token(
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> str | None:
    return credentials.credentials if credentials else None


BearerToken = Annotated[str | None, Depends(_token)]


async def _user(service: CurrentService, token: BearerToken, address: CallerAddress) -> User:
    if token is None:
        raise Unauthorized
    return await service.accounts.authenticate(token, address=address)


CurrentUser = Annotated[User, Depends(_user)]


async def _base_url(request: Request, service: CurrentService) -> str:
    return base_url(request, service.settings.public_url)


BaseUrl = Annotated[str, Depends(_base_url)]
