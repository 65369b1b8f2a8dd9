"""SoX, ffmpeg, arecord and espeak-ng writing into `curl -T -`, as docs/telephony.md has it."""

import json
import struct
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from tests import sound
from tests.players import tool
from tests.telephony.sender import RATE, Sender


def mulaw(sender: Sender) -> None:
    """The sound as a phone line has it, without a header."""
    command = [tool("sox"), "-q", sender.write("call.wav"), "-t", "ul", "call.ulaw"]
    subprocess.run(command, cwd=sender.folder, check=True)


def ogg(sender: Sender) -> None:
    """The sound as messengers have it."""
    command = [tool("ffmpeg"), "-v", "error", "-i", sender.write("call.wav"), "call.ogg"]
    subprocess.run(command, cwd=sender.folder, check=True)


def sound_card(sender: Sender) -> None:
    """ALSA's default, which hears a tone for as long as it is asked."""
    tool("arecord", package="alsa-utils")
    (sender.folder / "heard.raw").write_bytes(sound.pcm_bytes(sound.tone(11, 16_000), 16))
    (sender.folder / ".asoundrc").write_text(
        "pcm.!default { type file slave.pcm null file /dev/null format raw infile "
        f'"{sender.folder}/heard.raw" }}\n'
    )


def voice(_sender: Sender) -> None:
    """What speaks itself."""
    tool("espeak-ng")


def codes_of(record: dict[str, Any]) -> list[str]:
    """The warnings of a record's receipt."""
    return [warning["code"] for warning in record["receipt"]["warnings"]]


@pytest.mark.parametrize(
    ("containing", "prepare", "seconds", "rate", "warnings"),
    [
        ("sox -q", mulaw, 1, 8_000, []),
        ("ffmpeg -v", ogg, 1, 8_000, ["data_size_missing"]),
        ("arecord -q", sound_card, 10, 16_000, []),
        ("espeak-ng", voice, None, 22_050, ["data_size_missing"]),
    ],
)
def test_the_documents_pipes_give_an_mp3_of_the_whole_sound(
    sender: Sender,
    containing: str,
    prepare: Callable[[Sender], None],
    seconds: float | None,
    rate: int,
    warnings: list[str],
) -> None:
    prepare(sender)
    record = json.loads(sender.run_block(containing))
    assert codes_of(record) == warnings
    samples, heard_rate = sender.heard(record["url"])
    assert heard_rate == rate
    assert sound.loudness_db(samples[:, 0]) > -35
    if seconds:
        assert len(samples) / rate == pytest.approx(seconds, abs=0.01)
        assert sound.pitch(samples[:, 0], rate) == pytest.approx(440, abs=2)


FROM_BYTES = "cat call.ulaw | sox -q -t ul -r 8000 -c 1 -"
PIPES = {
    "sox": (f"{FROM_BYTES} -b 16 -t wav -", 0x7FFFF000),
    "sox, 24 bits": (f"{FROM_BYTES} -b 24 -t wav -", 0x7FFFEFFF),
    "sox, GSM": (f"{FROM_BYTES} -e gsm -t wav -", 0x7FFFEFC2),
    "sox, from a file": ("sox -q call.wav -t wav -", 2 * RATE),
    "ffmpeg": ("ffmpeg -v error -i call.wav -f wav -", 0xFFFFFFFF),
    "ffmpeg, GSM": ("ffmpeg -v error -i call.wav -c:a libgsm_ms -f wav -", 0xFFFFFFFF),
    "arecord": ("arecord -q -f S16_LE -r 8000 | head -c 16044", 0x80000000),
}
"""Programs whose output is a second of sound, and what they give as its size in bytes."""


@pytest.mark.parametrize("pipe", PIPES)
def test_the_sizes_that_programs_write_into_a_pipe_are_seen_through(
    sender: Sender, pipe: str
) -> None:
    command, size = PIPES[pipe]
    for prepare in (mulaw, ogg, sound_card):
        prepare(sender)
    sender.shell(f"{command} | cat > piped.wav")
    piped = (sender.folder / "piped.wav").read_bytes()
    at = piped.index(b"data")
    assert struct.unpack_from("<I", piped, at + 4) == (size,)
    record = sender.caller.post(piped).json()
    assert codes_of(record) == ([] if size == 2 * RATE else ["data_size_missing"])
    assert record["duration"] == pytest.approx(1, abs=0.05)
