"""Users: register, look at oneself, rotate the token, leave."""

import unicodedata
from typing import Annotated

from fastapi import APIRouter, Response, status
from pydantic import AfterValidator, BaseModel, ConfigDict, WithJsonSchema
from pydantic_core import PydanticCustomError

from wavepost.storage.models import MAX_NAME_CHARACTERS
from wavepost.web.answers import AccountAnswer, NewUserAnswer, TokenAnswer
from wavepost.web.caller import (
    TOKEN_OR_NONE,
    BearerToken,
    CallerAddress,
    CurrentService,
    CurrentUser,
)
from wavepost.web.problems import responses

router = APIRouter(tags=["users"])

NAME_SCHEMA = {"type": "string", "minLength": 1, "maxLength": MAX_NAME_CHARACTERS}


def _checked_name(name: str) -> str:
    name = name.strip()
    if not 1 <= len(name) <= MAX_NAME_CHARACTERS:
        raise PydanticCustomError(
            "name_length", f"send a name of 1 to {MAX_NAME_CHARACTERS} characters"
        )
    if any(unicodedata.category(letter) in ("Cc", "Cs") for letter in name):
        raise PydanticCustomError("name_characters", "send a name without control characters")
    return name


class NewUser(BaseModel):
    """Who wants to upload."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: Annotated[str, AfterValidator(_checked_name), WithJsonSchema(NAME_SCHEMA)]


@router.post(
    "/users",
    summary="Register",
    openapi_extra={"security": TOKEN_OR_NONE},
    status_code=status.HTTP_201_CREATED,
    responses=responses(
        "invalid_request", "unauthorized", "too_large", "rate_limited", "busy", has_body=True
    ),
)
async def register(
    new: NewUser,
    service: CurrentService,
    key: BearerToken,
    address: CallerAddress,
    response: Response,
) -> NewUserAnswer:
    """Register. The answer holds your id and your access token: keep it, it is shown once.

    Where the server wants a sign-up key, send it as the bearer token.
    """
    user, token = await service.accounts.register(new.name, key, address)
    return NewUserAnswer(id=user.id, name=user.name, created_at=user.created_at, access_token=token)


@router.get(
    "/users/me",
    summary="Look at yourself",
    responses=responses("unauthorized", "rate_limited", "busy"),
)
async def me(user: CurrentUser, service: CurrentService) -> AccountAnswer:
    """Who you are here, and how much you keep."""
    usage = await service.recordings.usage(user)
    return AccountAnswer(
        id=user.id,
        name=user.name,
        created_at=user.created_at,
        records=usage.records,
        bytes=usage.bytes,
        quota=service.settings.quota_bytes or None,
    )


@router.post(
    "/users/me/token",
    summary="Rotate the token",
    responses=responses("unauthorized", "rate_limited", "busy"),
)
async def rotate_token(user: CurrentUser, service: CurrentService) -> TokenAnswer:
    """A new access token. The old one stops at once."""
    token = await service.accounts.rotate_token(user)
    return TokenAnswer(access_token=token)


@router.delete(
    "/users/me",
    summary="Leave",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=responses("unauthorized", "rate_limited", "busy"),
)
async def leave(user: CurrentUser, service: CurrentService) -> None:
    """Remove yourself and every recording of yours. There is no way back."""
    await service.accounts.remove(user)
