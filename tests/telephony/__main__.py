"""`make telephony`: calls recorded by Asterisk, sent by the recipes, and listened to."""

import csv
import sys
from dataclasses import dataclass
from typing import Any

import httpx2
from rich.console import Console
from rich.table import Table

from tests import sound
from tests.service import wait_for
from tests.telephony.document import block
from tests.telephony.pbx import SAID_HERTZ, SAID_SECONDS, URL, Pbx, running_pbx

SPOOL = "/var/spool/wavepost"
CDR = "/var/log/asterisk/cdr-csv/Master.csv"
CALLS = [
    ("wav", "calls", "pcm_s16le"),
    ("wav49", "calls", "gsm_ms"),
    ("wav", "linked-calls", "pcm_s16le"),
    ("honest", "freepbx", "pcm_s16le"),
]
"""Extension, context, and the codec that is to arrive."""

IN_THE_CDR = ["link", "name", "name"]
"""What their recipes leave there; FreePBX has a column of its own."""

SAID_DB = -9.5
"""A sine at half of full scale, through LAME."""


@dataclass(frozen=True)
class Heard:
    """What a link gave."""

    name: str
    codec: str
    warnings: list[str]
    seconds: float
    hertz: float
    loudness_db: float
    link: str

    def is_right(self) -> bool:
        """A sine of 3 s; Asterisk's frames are of 20 ms, GSM's blocks of 40 ms."""
        return (
            abs(self.seconds - SAID_SECONDS) < 0.15
            and abs(self.hertz - SAID_HERTZ) < 5
            and abs(self.loudness_db - SAID_DB) < 1
            and not self.warnings
        )


def main() -> None:
    """Call, and say what came of it; exit status 1 if it is not what was said."""
    console = Console()
    with console.status("Building, and starting Asterisk and wavepost"), running_pbx() as pbx:
        version = pbx.command("core show version").split(" built")[0]
        console.print(f"{version}, and wavepost at {URL}")
        token = install(pbx)
        console.print(f"{len(CALLS)} calls at once, and one of a caller who means harm …")
        for extension, context, _ in CALLS:
            pbx.call(extension, context)
        pbx.call("hostile", "freepbx")
        wait_for(lambda: len(pbx.lines(f"{SPOOL}/links.tsv")) == len(CALLS), "the links")
        heard = [listen(record) for record in records(token)]
        wrong = [*wrong_sounds(heard), *wrong_traces(pbx, heard)]
        wait_for(lambda: sorted(in_cdr(pbx, heard).values()) == IN_THE_CDR, "the CDR")
        console.print(table(heard, in_cdr(pbx, heard)))
        for one in heard:
            console.print(one.link, soft_wrap=True, highlight=False)
    for fault in wrong:
        console.print(f"[red]{fault}")
    sys.exit("Not as it should be." if wrong else 0)


def install(pbx: Pbx) -> str:
    """What the document installs, and a user for the phone system, whose token lies there."""
    pbx.shell(block("sh", "install"), user="root")
    token: str = httpx2.post(f"{URL}/users", json={"name": "PBX"}).json()["access_token"]
    pbx.shell("cat > /etc/wavepost/token", stdin=token)
    return token


def records(token: str) -> list[dict[str, Any]]:
    """What wavepost keeps."""
    answer = httpx2.get(f"{URL}/records", headers={"Authorization": f"Bearer {token}"})
    found: list[dict[str, Any]] = answer.json()["records"]
    return found


def listen(record: dict[str, Any]) -> Heard:
    """Download by the link alone, and decode."""
    samples, rate = sound.decode(httpx2.get(record["url"]).content)
    return Heard(
        name=record["name"],
        codec=record["receipt"]["source"]["codec"],
        warnings=[warning["code"] for warning in record["receipt"]["warnings"]],
        seconds=len(samples) / rate,
        hertz=sound.pitch(samples[:, 0], rate),
        loudness_db=sound.loudness_db(samples[:, 0]),
        link=record["url"],
    )


def wrong_sounds(heard: list[Heard]) -> list[str]:
    """Recordings that are not what was said, or not in the format that was asked for."""
    faults = [f"{one.name} is not what was said." for one in heard if not one.is_right()]
    if sorted(one.codec for one in heard) != sorted(codec for _, _, codec in CALLS):
        faults.append("These are not the codecs that Asterisk was to write.")
    return faults


def in_cdr(pbx: Pbx, heard: list[Heard]) -> dict[str, str]:
    """What the CDR has of each recording: its name, or its link."""
    cdr = pbx.lines(CDR)
    fields = [field for line in csv.reader(cdr) for field in line]
    return {
        one.name: what
        for one in heard
        for what, value in (("name", one.name), ("link", one.link))
        if value in fields
    }


def wrong_traces(pbx: Pbx, heard: list[Heard]) -> list[str]:
    """What is where it should not be, or not where it should."""
    sent = pbx.shell(f"ls {SPOOL}/sent").splitlines()
    faults = [f"{one.name} is not in sent/." for one in heard if one.name not in sent]
    faults += [f"{file} is in unsent/." for file in pbx.shell(f"ls {SPOOL}/unsent").splitlines()]
    wait_for(lambda: "is no file" in pbx.compose("logs", "asterisk"), "the hostile call's end")
    if pbx.shell("find / -xdev -name harm 2>/dev/null || :"):
        faults.append("The caller's number was run as a command.")
    kept = pbx.shell("find /var/spool/asterisk/monitor -type f").splitlines()
    if len(kept) != 2 or not any("$(cd && touch harm)" in path for path in kept):
        faults.append("FreePBX's recordings are not where FreePBX looks for them.")
    return faults


def table(heard: list[Heard], cdr: dict[str, str]) -> Table:
    """For people."""
    shown = Table("recording", "codec", "seconds", "Hz", "dB", "in the CDR")
    for one in heard:
        figures = (f"{one.seconds:.2f}", f"{one.hertz:.0f}", f"{one.loudness_db:.1f}")
        shown.add_row(one.name, one.codec, *figures, cdr.get(one.name, ""))
    return shown


if __name__ == "__main__":
    main()
