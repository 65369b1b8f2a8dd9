"""The check of resumable uploads (tus 1.0.0), whose methods and headers proxies may not know."""

import base64
from uuid import UUID

from wavepost.commands.doctor.account import EXPIRES_SECONDS, FILE_NAME
from wavepost.commands.doctor.noise import Noise
from wavepost.commands.doctor.refusals import refused
from wavepost.commands.doctor.sending import receipt
from wavepost.commands.doctor.verdicts import Check, Fault, NotTried
from wavepost.commands.doctor.visit import Answer, Visit

NOISE = Noise(64 * 1024)
VERSION = {"Tus-Resumable": "1.0.0"}
LOST = "nginx: take proxy_hide_header and proxy_pass_request_headers off; out"


async def resumable(visit: Visit) -> str:
    """A WAV in two pieces, with the question between them how much is there."""
    options = await visit.ask("OPTIONS", "/uploads")
    if "tus-resumable" not in options.headers:
        raise NotTried("Resumable uploads are not offered here.")
    headers = VERSION | visit.bearer
    path = await _begun(visit, headers)
    try:
        await _sent(visit, path, headers)
    finally:
        # It is the pieces that go: the recording, if there is one, goes with all others.
        await visit.ask("DELETE", path, headers)
    return "Uploads that were cut off can go on."


async def _begun(visit: Visit, headers: dict[str, str]) -> str:
    metadata = {"filename": FILE_NAME, "expires_in": str(EXPIRES_SECONDS)}
    listed = (
        f"{name} {base64.b64encode(text.encode()).decode()}" for name, text in metadata.items()
    )
    length = {"Upload-Length": str(NOISE.size_bytes), "Upload-Metadata": ",".join(listed)}
    begun = await visit.ask("POST", "/uploads", headers | length)
    if begun.status != 201:
        raise refused("A resumable upload", begun)
    try:
        upload_id = UUID(begun.headers.get("location", "").rpartition("/")[2])
    except ValueError:
        raise Fault("The header Location of uploads is lost on the way.", LOST) from None
    return f"/uploads/{upload_id}"


async def _sent(visit: Visit, path: str, headers: dict[str, str]) -> None:
    wav = NOISE.whole()
    half = len(wav) // 2
    await _piece(visit, path, headers, wav[:half], 0)
    here = await visit.ask("HEAD", path, headers)
    if here.status != 200:
        raise refused("HEAD of an upload", here)
    _insist_on_offset(here, half)
    await _piece(visit, path, headers, wav[half:], half)
    ended = await visit.ask("GET", path, headers)
    receipt("A WAV in two pieces", NOISE, ended.document.get("record"))


async def _piece(
    visit: Visit, path: str, headers: dict[str, str], piece: bytes, offset: int
) -> None:
    place = {"Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
    answer = await visit.ask("PATCH", path, headers | place, content=piece)
    if answer.status != 204:
        raise refused("PATCH with a piece of a WAV", answer)
    _insist_on_offset(answer, offset + len(piece))


def _insist_on_offset(answer: Answer, offset: int) -> None:
    if answer.headers.get("upload-offset") != str(offset):
        raise Fault("The header Upload-Offset is lost or changed on the way.", LOST)


CHECKS = (Check("resumable", "sending a WAV in pieces", resumable, ("account",)),)
