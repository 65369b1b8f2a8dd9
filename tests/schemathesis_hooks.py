"""What schemathesis can't know by itself: how a WAV travels, and a recording that is there.

Loaded by schemathesis itself, which `tests/integration/test_openapi.py` runs.
"""

import os
from typing import Any
from uuid import UUID

import schemathesis
from hypothesis import strategies

from tests import sound

TONE = sound.wav(sound.tone(0.1, 8_000), 8_000)

PIECE_TYPE = "application/offset+octet-stream"

for _type in ("audio/wav", PIECE_TYPE):
    schemathesis.openapi.media_type(
        _type,
        strategies.sampled_from([TONE, TONE[:30], TONE[:-7], b"", b"RIFF"]) | strategies.binary(),
    )


@schemathesis.serializer("audio/wav", PIECE_TYPE)
def as_it_is(_context: schemathesis.SerializationContext, wav: Any) -> dict[str, Any]:
    """Bytes go as they are; what is none was made to be wrong."""
    return {"data": wav if isinstance(wav, bytes) else repr(wav).encode(errors="replace")}


@schemathesis.hook
def before_call(
    _context: schemathesis.HookContext, case: schemathesis.Case, _kwargs: dict[str, Any]
) -> None:
    """Half of the time, let what was thought of meet something that is there."""
    if case.method == "DELETE" and os.environ["SCHEMATHESIS_RECORD"] in repr(case.path_parameters):
        case.path_parameters["record_id"] = str(UUID(int=0))
    if case.method == "DELETE" and os.environ["SCHEMATHESIS_UPLOAD"] in repr(case.path_parameters):
        case.path_parameters["upload_id"] = str(UUID(int=0))
    if len(repr(case.query)) % 2:
        return
    if case.method in ("HEAD", "PATCH"):
        _ask_for_what_is_there(case.path_parameters)
    if case.method == "GET":
        _ask_for_what_is_there(case.path_parameters)
        _ask_for_what_is_there(case.query)
    if case.method == "POST" and isinstance(case.body, dict) and "record" in case.body:
        _send_a_wav(case)


def _ask_for_what_is_there(parameters: Any) -> None:
    for name, known in (
        ("id", "RECORD"),
        ("record_id", "RECORD"),
        ("user", "USER"),
        ("upload_id", "UPLOAD"),
    ):
        if name in (parameters or {}):
            parameters[name] = os.environ[f"SCHEMATHESIS_{known}"]


def _send_a_wav(case: schemathesis.Case) -> None:
    """Each option once, and no other token than the header's."""
    case.body["record"] = TONE
    for name in ("user_id", "access_token", *(case.query or ())):
        case.body.pop(name, None)
    if "quality" in case.body and "bitrate" in case.body:
        del case.body["bitrate"]
