"""Who uploads during a visit, and how everything that a visit made is removed again."""

import asyncio
import secrets
from typing import Any
from urllib.parse import quote
from uuid import UUID

from wavepost.commands.doctor.refusals import refused
from wavepost.commands.doctor.verdicts import Fault, NotTried
from wavepost.commands.doctor.visit import Account, Visit

NAME = "wavepost doctor"
FILE_NAME = f"wavepost-doctor-{secrets.token_hex(8)}.wav"
"""Of all that this run uploads: by it, recordings are found whose answer was lost."""

EXPIRES_SECONDS = 3600
"""Should nobody be left to remove them, recordings go by themselves."""

PAGES = 10
ATTEMPTS, RETRY_SECONDS = 3, 1.0
SIGNUPS = {"open": "Anyone may register", "key": "Who has the key may register"}
GIVE_A_TOKEN = "Give the token of a user: WAVEPOST_TOKEN=… wavepost doctor URL"  # noqa: S105

BASIC = "basic"


async def account(visit: Visit) -> str:
    """Find somebody to upload as, and see whether their token reaches the service."""
    signup = str(visit.limits.get("signup", "open"))
    if visit.given_token:
        visit.account = Account("", visit.given_token, is_made=False)
    elif signup == "open":
        visit.account = await _registered(visit)
    else:
        who = "holders of a key" if signup == "key" else "nobody"
        raise NotTried(f"Registering is for {who}, and no token was given.", GIVE_A_TOKEN)
    me = await visit.ask("GET", "/users/me", visit.bearer)
    if me.status != 200:
        raise _token_refused(visit, refused("GET /users/me", me), me.status, me.headers)
    visit.account.id = _id(me.document.get("id"))
    return f"{SIGNUPS.get(signup, 'Nobody may register')}, and tokens get through."


async def _registered(visit: Visit) -> Account:
    answer = await visit.ask("POST", "/users", json={"name": NAME})
    token = answer.document.get("access_token")
    if (
        answer.status != 201
        or not isinstance(token, str)
        or not (token.isascii() and token.isprintable())
    ):
        raise refused("Registering a user", answer)
    return Account(_id(answer.document.get("id")), token, is_made=True)


def _id(value: Any) -> str:
    try:
        return str(UUID(value))
    except (ValueError, TypeError, AttributeError):
        raise Fault("The service names no id of the user.") from None


def _token_refused(
    visit: Visit, refusal: Fault | NotTried, status: int, headers: Any
) -> Fault | NotTried:
    if status != 401 or headers.get("www-authenticate", "").lower().startswith(BASIC):
        return refusal
    passed_on = "nginx: proxy_set_header Authorization $http_authorization;"
    if visit.given_token:
        return Fault(
            "The token of WAVEPOST_TOKEN is refused: it is wrong, or lost on the way.",
            "Is it the user's last one? A new token ends the one before.",
            passed_on,
        )
    return Fault("A new user's token is refused: the Authorization header is lost.", passed_on)


async def leave(visit: Visit) -> str:
    """Remove all that the visit made; a sentence where something had to be left behind."""
    if not visit.account:
        return ""
    removal = _remove_user if visit.account.is_made else _remove_recordings
    for _ in range(ATTEMPTS):
        try:
            await removal(visit)
        except (Fault, NotTried) as error:
            left = f"Not all that was made could be removed. {error.sentence}"
            await asyncio.sleep(RETRY_SECONDS)
        else:
            return ""
    user = f" The user {NAME!r} stays, with the id {visit.account.id}." * visit.account.is_made
    return f"{left} Recordings go by themselves within an hour.{user}"


async def _remove_user(visit: Visit) -> None:
    answer = await visit.ask("DELETE", "/users/me", visit.bearer)
    if answer.status != 204:
        raise refused("DELETE /users/me", answer)


async def _remove_recordings(visit: Visit) -> None:
    """By their name, which no other recording has."""
    for _ in range(PAGES):
        page = await visit.ask("GET", f"/records?name={quote(FILE_NAME)}", visit.bearer)
        records = page.document.get("records")
        if page.status != 200 or not isinstance(records, list):
            raise refused("GET /records", page)
        if not records:
            return
        for record in records:
            if isinstance(record, dict) and record.get("name") == FILE_NAME:
                await visit.ask("DELETE", f"/records/{_id(record.get('id'))}", visit.bearer)
