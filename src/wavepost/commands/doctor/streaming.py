"""Checks of time: whether uploads reach the service as they come, refusals their senders early,
and whether a sender may be slow."""

import asyncio
import itertools
import secrets

from wavepost.commands.doctor.noise import Noise
from wavepost.commands.doctor.refusals import SILENCE, STREAM, refused
from wavepost.commands.doctor.sending import UPLOAD_PATH, bare, stored
from wavepost.commands.doctor.verdicts import Check, Fault
from wavepost.commands.doctor.visit import ANSWER_SECONDS, Answer, Visit
from wavepost.commands.doctor.wire import Wire, wire

NOISE = Noise(64 * 1024)
PROMISED_BYTES = 1024**2
TRICKLE_BYTES, TRICKLE_PIECES, TRICKLE_SECONDS = 4096, 25, 0.2
"""5 seconds of it, and a tenth of what was promised."""

HEAD_START_SECONDS = 1.0
MAX_SILENCE_SECONDS = 50
"""The service itself gives senders up after 60 (WAVEPOST_IDLE_SECONDS)."""

PIECE_SECONDS = 0.5
RECORDER_BYTES_A_SECOND = 16_000
"""As telephones record. Who sends less than 256 a second, silence included, is given up."""


async def refusals(visit: Visit) -> str:
    """Whether a refusal arrives before the body has been sent: a gigabyte may be left to send."""
    headers = {"Content-Type": "audio/wav", "Content-Length": str(PROMISED_BYTES)}
    answer = None
    async with wire(visit.target) as connection:
        await connection.begin(visit.target, "/records", headers)
        # On and on: Go's servers, and so Caddy, pass an answer on only when more has come.
        for piece in itertools.repeat(NOISE.whole()[:TRICKLE_BYTES], TRICKLE_PIECES):
            await connection.send(piece)
            if answer := await connection.answer(TRICKLE_SECONDS):
                break
    if answer is None:
        raise Fault("Refusals come only after the whole WAV was sent.", *STREAM)
    if answer.code != "unauthorized":
        raise refused("An upload without a token", answer)
    return "Refusals come before the WAV has been sent."


async def streaming(visit: Visit) -> str:
    """Whether the service has the beginning of an upload before its end was sent.

    By an Idempotency-Key: a second upload with the same one is refused (409) while the first is
    under way, if the service has heard of that.
    """
    headers = {**bare(visit), "Idempotency-Key": f"wavepost-doctor-{secrets.token_hex(16)}"}
    wav = NOISE.whole()
    async with wire(visit.target) as first:
        await first.begin(visit.target, UPLOAD_PATH, headers | _length(wav))
        await first.send(wav[: len(wav) // 2])
        await asyncio.sleep(HEAD_START_SECONDS)
        second = await visit.ask("POST", UPLOAD_PATH, headers, content=wav)
        if second.status == 201:
            raise Fault(
                "The proxy keeps uploads back until they are whole: conversions begin late.",
                *STREAM,
            )
        if second.code != "idempotency_conflict":
            raise refused("A repeated upload", second)
        await first.send(wav[len(wav) // 2 :])
        await first.end()
        stored("A WAV in two halves", NOISE, await _answer(first))
    return "Conversions begin while uploads arrive."


async def slow(visit: Visit) -> str:
    """A WAV that comes piece by piece, with a long silence in the middle."""
    seconds = visit.plan.slow_seconds
    silence = min(seconds / 2, MAX_SILENCE_SECONDS)
    noise = Noise(max(NOISE.size_bytes, round(RECORDER_BYTES_A_SECOND * (seconds - silence))))
    wav = noise.whole()
    what = f"A WAV that took {seconds:.0f} s, {silence:.0f} of them silent,"
    async with wire(visit.target) as connection:
        await connection.begin(visit.target, UPLOAD_PATH, bare(visit) | _length(wav))
        try:
            answer = await _sent_slowly(connection, wav, seconds - silence, silence)
        except Fault:
            raise Fault(f"{what} was cut off on the way.", *SILENCE) from None
    if answer.status == 408 and not answer.code:
        raise Fault(f"{what} was given up in front of the service.", *SILENCE)
    stored(what, noise, answer)
    return f"{what} came through."


async def _sent_slowly(
    connection: Wire, wav: bytes, sending_seconds: float, silent_seconds: float
) -> Answer:
    half = len(wav) // 2
    await _trickle(connection, wav[:half], sending_seconds / 2)
    if early := await connection.answer(silent_seconds):
        return early
    await _trickle(connection, wav[half:], sending_seconds / 2)
    await connection.end()
    return await _answer(connection)


async def _trickle(connection: Wire, wav: bytes, seconds: float) -> None:
    count = max(1, round(seconds / PIECE_SECONDS))
    size = -(-len(wav) // count)
    for at in range(0, len(wav), size):
        if not await connection.send(wav[at : at + size]):
            return
        await asyncio.sleep(seconds / count)


async def _answer(connection: Wire) -> Answer:
    if answer := await connection.answer(ANSWER_SECONDS):
        return answer
    raise Fault(f"An upload was not answered in {ANSWER_SECONDS:.0f} s.")


def _length(wav: bytes) -> dict[str, str]:
    return {"Content-Length": str(len(wav))}


CHECKS = (
    Check("refusals", "sending what is refused", refusals),
    Check("streaming", "sending the first half of a WAV", streaming, ("account",)),
    Check("slow", "sending a WAV slowly", slow, ("account",)),
)
