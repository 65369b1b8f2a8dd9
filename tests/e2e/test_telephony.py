"""`wavepost-upload`, and the lines of docs/telephony.md for phone systems, run as they stand."""

import os
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from tests import sound
from tests.players import tool
from tests.telephony.document import INSTALLED, SCRIPT, block
from tests.telephony.sender import RATE, TONE, WAV, Sender


def test_a_recording_is_sent_and_its_link_is_kept(sender: Sender) -> None:
    done = sender.upload(sender.write("1795295111.1.wav"))
    assert (done.returncode, done.stderr) == (0, "")
    link = done.stdout.strip()
    assert sound.pitch(sender.heard(link)[0][:, 0], RATE) == pytest.approx(440, abs=2)
    assert (sender.spool / "links.tsv").read_text() == f"1795295111.1.wav\t{link}\n"
    assert (sender.files("sent"), sender.files("unsent")) == (["1795295111.1.wav"], [])
    assert not (sender.folder / "1795295111.1.wav").exists()


def test_the_spool_is_its_owners_alone(sender: Sender) -> None:
    sender.upload(sender.write("call.wav"))
    paths = [sender.spool, *sender.spool.iterdir()]
    assert {path.stat().st_mode & 0o077 for path in paths} == {0}


@pytest.mark.parametrize(
    "name",
    [
        "$(touch harm) `touch harm`; touch harm.wav",
        "a b\t'c' \"d\"\\n&e=f#g%41+[1-3]{h,i}.wav",
        "Звонок.wav",
        "-k.wav",
    ],
)
def test_a_files_name_may_hold_anything(sender: Sender, name: str) -> None:
    done = sender.upload(f"./{sender.write(name)}")
    assert done.returncode == 0, done.stderr
    assert sender.files("sent") == [name]
    assert not (sender.folder / "harm").exists()
    printable = "".join(letter for letter in name if letter.isprintable())
    assert sender.records()[0]["name"] == re.split(r"[/\\]", printable)[-1]


def test_what_could_not_be_sent_waits_and_is_sent_later(sender: Sender) -> None:
    shutil.copy(SCRIPT, sender.folder / "impatient")
    script = (sender.folder / "impatient").read_text().replace("--retry 5", "--retry 0")
    (sender.folder / "impatient").write_text(script)
    away = replace(sender, url="http://127.0.0.1:9")
    first, second = sender.write("first.wav"), sender.write("second.wav", WAV[:-2])
    done = away.shell(f"./impatient {first} {second}")
    assert done.returncode == 1
    assert "first.wav stays in" in done.stderr
    assert "second.wav stays in" not in done.stderr, "the second need not be tried"
    assert (sender.files("unsent"), sender.records()) == ([first, second], [])
    done = sender.upload()
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 2)
    assert (sender.files("unsent"), sender.files("sent")) == ([], [first, second])


def test_a_wrong_token_leaves_everything_where_it_is(sender: Sender) -> None:
    (sender.folder / "token").write_text("5b1c2f6e-6f0e-4a55-9a53-0f5a2c7b9d10")
    done = sender.upload(sender.write("call.wav"))
    assert (done.returncode, sender.files("unsent")) == (1, ["call.wav"])
    assert "status 401" in done.stderr


def test_a_mistake_of_the_settings_costs_no_recording(sender: Sender) -> None:
    sender.write("first.wav")
    sender.write("second.wav")
    done = sender.shell(f"WAVEPOST_EXPIRES_IN=never {SCRIPT} first.wav second.wav")
    assert done.returncode == 1
    assert sender.files("unsent") == ["first.wav", "second.wav"]
    assert done.stderr.count(" stays in ") == 2, "one that fails alone holds no other up"
    assert sender.upload().returncode == 0


@pytest.mark.parametrize(
    ("mode", "advice"), [(0o640, "chmod 600"), (None, "put the access token there")]
)
def test_a_recording_waits_for_a_token_that_nobody_else_can_read(
    sender: Sender, mode: int | None, advice: str
) -> None:
    token = sender.folder / "token"
    hidden = token.rename(sender.folder / "hidden") if mode is None else token
    hidden.chmod(mode or 0o600)
    done = sender.upload(sender.write("call.wav"))
    assert (done.returncode, sender.files("unsent")) == (2, ["call.wav"])
    assert advice in done.stderr
    hidden.rename(token).chmod(0o600)
    assert sender.upload().returncode == 0
    assert sender.files("sent") == ["call.wav"]


def test_what_wavepost_cannot_take_is_set_aside_and_the_rest_is_sent(sender: Sender) -> None:
    names = [
        sender.write("empty.wav", sound.wav(TONE[:0], RATE)),
        sender.write("text.wav", b"This is no WAV."),
        sender.write("call.wav"),
    ]
    done = sender.upload(*names)
    assert done.returncode == 1
    assert (sender.files("refused"), sender.files("sent")) == (names[:2], names[2:])
    assert "empty_audio" in done.stderr
    assert sender.upload().returncode == 0, "they are not sent again"


def test_recordings_of_one_name_are_all_kept(sender: Sender) -> None:
    for length in (len(WAV), len(WAV) - 2):
        assert sender.upload(sender.write("call.wav", WAV[:length])).returncode == 0
    kept = sorted(path.read_bytes() for path in (sender.spool / "sent").iterdir())
    assert kept == [WAV[:-2], WAV]


def test_two_calls_of_the_same_sound_are_two_recordings(sender: Sender) -> None:
    sender.upload(sender.write("first.wav"), sender.write("second.wav"))
    assert [record["name"] for record in sender.records()] == ["first.wav", "second.wav"]


def test_a_recording_whose_answer_was_lost_is_kept_once(sender: Sender) -> None:
    link = sender.upload(sender.write("call.wav")).stdout
    shutil.move(sender.spool / "sent" / "call.wav", sender.spool / "unsent" / "call.wav")
    assert sender.upload().stdout == link
    assert len(sender.records()) == 1


def test_several_at_once_send_each_recording_once(sender: Sender) -> None:
    sender.upload()
    names = [f"call-{number}.wav" for number in range(6)]
    for name in names:
        (sender.spool / "unsent" / name).write_bytes(WAV)
    with ThreadPoolExecutor() as pool:
        done = list(pool.map(lambda _: sender.upload(), range(4)))
    assert [one.returncode for one in done] == [0] * 4
    assert sorted(record["name"] for record in sender.records()) == names
    assert len((sender.spool / "links.tsv").read_text().splitlines()) == len(names)


def test_a_recording_may_stay_where_it_is(sender: Sender) -> None:
    name = sender.write("call.wav")
    assert sender.upload("-k", name).returncode == 0
    assert (sender.folder / name).samefile(sender.spool / "sent" / name)


def test_what_is_in_the_spool_is_not_taken_in_again(sender: Sender) -> None:
    sender.upload()
    waiting = sender.spool / "unsent" / "call.wav"
    waiting.write_bytes(WAV)
    assert sender.upload(str(waiting)).returncode == 1
    assert waiting.exists()


def test_a_recording_may_have_an_end(sender: Sender) -> None:
    sender.write("call.wav")
    assert sender.shell(f"WAVEPOST_EXPIRES_IN=3600 {SCRIPT} call.wav").returncode == 0
    assert sender.records()[0]["expires_at"] is not None


def test_freeswitchs_command_is_one_that_a_shell_understands(sender: Sender) -> None:
    (command,) = re.findall(r"exec_api=bgsystem:(.*?)\"/>", block("xml", "record_session"))
    sender.write("4c5b0d92.wav")
    command = command.replace(INSTALLED, str(SCRIPT)).replace("$${recordings_dir}", ".")
    assert sender.shell(command.replace("${uuid}", "4c5b0d92")).returncode == 0
    assert sender.files("sent") == ["4c5b0d92.wav"]


def test_crons_lines_send_tell_and_make_room(sender: Sender) -> None:
    send, tell, make_room = [
        line.split("asterisk ", 1)[1].replace(INSTALLED, str(SCRIPT))
        for line in block("cron", "wavepost").replace("/var/spool/wavepost", "spool").splitlines()
    ]
    sender.upload()
    old = sender.spool / "unsent" / "old.wav"
    old.write_bytes(WAV)
    os.utime(old, (0, 0))
    assert sender.shell(tell).stdout == "spool/unsent/old.wav\n"
    assert sender.shell(send).returncode == 0
    assert (sender.shell(tell).stdout, sender.files("sent")) == ("", ["old.wav"])
    assert sender.shell(make_room).returncode == 0
    assert sender.files("sent") == []


def test_shellcheck_has_nothing_to_complain_of() -> None:
    done = subprocess.run([tool("shellcheck"), SCRIPT], capture_output=True, text=True, check=False)
    assert done.stdout == ""


def test_the_documents_upload_can_be_repeated(sender: Sender) -> None:
    sender.write("call.wav")
    first, again = (sender.run_block("-T call.wav") for _ in range(2))
    assert first == again
    assert sender.heard(first.strip())[0].shape == (RATE, 1)
    assert sender.records()[0]["expires_at"] is not None
