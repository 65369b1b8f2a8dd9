"""`wavepost convert`, as a command between files and pipes."""

import hashlib
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests import sound

WAV = sound.wav(sound.tone(2, 44_100, (440.0, 660.0)))
WAVEPOST = [sys.executable, "-m", "wavepost"]


def convert(*arguments: str | Path, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*WAVEPOST, "convert", *map(str, arguments)], input=stdin, capture_output=True, check=False
    )


@pytest.fixture
def wav(tmp_path: Path) -> Path:
    path = tmp_path / "in.wav"
    path.write_bytes(WAV)
    return path


def assert_sounds_like_the_wav(mp3: bytes) -> None:
    heard, rate = sound.decode(mp3)
    assert heard.shape == (2 * 44_100, 2)
    assert sound.pitch(heard[:, 0], rate) == pytest.approx(440, abs=1)
    assert sound.pitch(heard[:, 1], rate) == pytest.approx(660, abs=1)


def test_a_file_becomes_a_file_and_nothing_is_said(wav: Path, tmp_path: Path) -> None:
    mp3 = tmp_path / "out.mp3"
    run = convert(wav, mp3)
    assert (run.returncode, run.stdout, run.stderr) == (0, b"", b"")
    assert_sounds_like_the_wav(mp3.read_bytes())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.wav", "out.mp3"]


def test_pipes_on_both_sides() -> None:
    run = convert("-", "-", stdin=WAV)
    assert (run.returncode, run.stderr) == (0, b"")
    assert_sounds_like_the_wav(run.stdout)


@pytest.mark.parametrize("options", [["--bitrate", "96"], ["--quality", "4"]])
def test_the_receipt_is_of_the_mp3(wav: Path, tmp_path: Path, options: list[str]) -> None:
    mp3 = tmp_path / "out.mp3"
    facts = json.loads(convert(wav, mp3, "--json", *options).stdout)
    made = mp3.read_bytes()
    assert facts["bytes"] == len(made)
    assert facts["receipt"]["mp3"]["sha256"] == hashlib.sha256(made).hexdigest()
    assert facts["receipt"]["source"]["sha256"] == hashlib.sha256(WAV).hexdigest()
    if "--bitrate" in options:
        assert facts["bitrate"] == 96
    assert_sounds_like_the_wav(made)


def test_the_receipt_does_not_mix_with_an_mp3_on_a_pipe() -> None:
    run = convert("-", "-", "--json", stdin=WAV)
    facts = json.loads(run.stderr)
    assert facts["receipt"]["mp3"]["sha256"] == hashlib.sha256(run.stdout).hexdigest()


def test_the_number_of_threads_changes_no_byte(tmp_path: Path) -> None:
    samples = np.repeat(sound.speech_like(70, 44_100), 2, axis=1)
    (tmp_path / "in.wav").write_bytes(sound.wav(samples))
    made = []
    for threads in ("1", "2", "5"):
        assert convert(tmp_path / "in.wav", tmp_path / "o", "--threads", threads).returncode == 0
        made.append((tmp_path / "o").read_bytes())
    assert made[0] == made[1] == made[2]


def test_an_output_that_is_there_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    mp3 = tmp_path / "out.mp3"
    mp3.write_bytes(b"an older recording")
    mp3.chmod(0o640)
    broken = convert("-", mp3, stdin=b"RIFF, or so it seems")
    assert broken.returncode == 1
    assert mp3.read_bytes() == b"an older recording"
    assert list(tmp_path.iterdir()) == [mp3]
    assert convert("-", mp3, stdin=WAV).returncode == 0
    assert_sounds_like_the_wav(mp3.read_bytes())
    assert mp3.stat().st_mode & 0o777 == 0o640


def test_a_link_keeps_pointing_to_the_output(wav: Path, tmp_path: Path) -> None:
    (tmp_path / "real.mp3").write_bytes(b"old")
    (tmp_path / "link.mp3").symlink_to("real.mp3")
    assert convert(wav, tmp_path / "link.mp3").returncode == 0
    assert (tmp_path / "link.mp3").is_symlink()
    assert_sounds_like_the_wav((tmp_path / "real.mp3").read_bytes())


def test_a_new_output_is_readable_as_any_other_file(wav: Path, tmp_path: Path) -> None:
    convert(wav, tmp_path / "out.mp3")
    (tmp_path / "other").touch()
    assert (tmp_path / "out.mp3").stat().st_mode == (tmp_path / "other").stat().st_mode


def test_a_device_is_written_to_and_not_replaced(wav: Path) -> None:
    assert convert(wav, "/dev/null").returncode == 0
    assert Path("/dev/null").is_char_device()


def test_the_wav_is_never_replaced_by_its_mp3(wav: Path, tmp_path: Path) -> None:
    os.link(wav, tmp_path / "again.wav")
    for target in (wav, tmp_path / "again.wav"):
        run = convert(wav, target)
        assert run.returncode == 1
        assert b"name another file" in run.stderr
    assert wav.read_bytes() == WAV


def test_what_is_wrong_is_said_in_a_sentence(wav: Path, tmp_path: Path) -> None:
    for arguments, status, sentence in (
        (["nowhere.wav", "o.mp3"], 1, b"nowhere.wav: No such file"),
        ([tmp_path, "o.mp3"], 1, b"Is a directory"),
        ([wav, tmp_path], 1, b"Is a directory"),
        ([wav, tmp_path / "nowhere" / "o.mp3"], 1, b"No such file"),
        ([wav, "o.mp3", "--bitrate", "100"], 2, b"'100' is not one of"),
        ([wav, "o.mp3", "--quality", "10"], 2, b"10 is not in the range"),
        ([wav, "o.mp3", "--quality", "1", "--bitrate", "64"], 2, b"not both"),
        ([wav, "o.mp3", "--threads", "0"], 2, b"0 is not in the range"),
    ):
        run = convert(*arguments)
        assert run.returncode == status
        assert sentence in run.stderr
        assert b"Traceback" not in run.stderr
    assert not Path("o.mp3").exists()


def test_a_full_disk_leaves_nothing(wav: Path) -> None:
    run = convert(wav, "/dev/full")
    assert run.returncode == 1
    assert b"No space left" in run.stderr


def test_warnings_are_printed(tmp_path: Path) -> None:
    run = convert("-", tmp_path / "o.mp3", stdin=WAV[:-1000])
    assert run.returncode == 0
    assert b"data_truncated" in run.stderr


def test_a_terminal_sees_how_far_it_is_and_what_came_out(tmp_path: Path) -> None:
    (tmp_path / "in.wav").write_bytes(sound.wav(sound.speech_like(60, 44_100)))
    ours, theirs = pty.openpty()
    arguments = ["convert", str(tmp_path / "in.wav"), str(tmp_path / "out.mp3")]
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "200"}
    with subprocess.Popen([*WAVEPOST, *arguments], stderr=theirs, env=environment) as process:
        os.close(theirs)
        shown = b""
        while piece := read_terminal(ours):
            shown += piece
    os.close(ours)
    assert process.returncode == 0
    assert b"%" in shown
    assert b"44100 Hz mono, 64 kbit/s" in shown
    assert b"1 min 0.0 s" in shown


def read_terminal(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65_536)
    except OSError:  # Linux: nobody is at the other end any more
        return b""


@pytest.mark.parametrize("to", ["a file", "a pipe"])
def test_tags_behind_the_sound_go_to_the_mp3s_beginning(wav: Path, tmp_path: Path, to: str) -> None:
    early = sound.chunk(b"bext", b"a long description that is not the comment".ljust(602, b"\0"))
    late = sound.chunk(b"LIST", b"INFO" + sound.chunk(b"ICMT", b"short"))
    wav.write_bytes(WAV[:12] + early + WAV[12:] + late)
    mp3 = tmp_path / "out.mp3"
    run = convert(wav, mp3 if to == "a file" else "-", "--json")
    facts = json.loads(run.stdout if to == "a file" else run.stderr)
    made = mp3.read_bytes() if to == "a file" else run.stdout
    assert facts["receipt"]["tags"] == {"comment": "short"}
    assert facts["bytes"] == len(made)
    assert facts["receipt"]["mp3"]["sha256"] == hashlib.sha256(made).hexdigest()
    assert_sounds_like_the_wav(made)
