"""Looks for what was lost, half seen or left behind, while the load rests."""

import hashlib
import itertools
import re
from typing import Any

import httpx2

from tests.chaos.clips import SHORT
from tests.chaos.findings import Findings, Wrong
from tests.chaos.ledger import Fate, Ledger, Upload
from tests.chaos.listener import what_is_wrong
from tests.chaos.machine import Machine
from tests.chaos.sender import Address
from tests.service import converting, count_unfinished, wait_for

SERVED_SECONDS, TIDY_SECONDS = 60, 20
REMEMBERED = 10
"""How many recordings are kept from one fault to the next, so that each lives through several."""

PAGE = 100
LOG_ENTRY = re.compile(r"^(?=\d{4}-\d\d-\d\d )", re.MULTILINE)


class Verdict:
    """Goes by the ledger."""

    def __init__(
        self,
        address: Address,
        ledger: Ledger,
        findings: Findings,
        database_url: str,
        machine: Machine,
    ) -> None:
        self._findings = findings
        self._database_url = database_url
        self._machine = machine
        self._ledger = ledger
        self._bearer = address.bearer
        self._client = address.client()
        self._keeps_wav: bool = self._client.get("/limits").json()["keeps_wav"]
        self._heard: set[str] = set()
        self._numbers = itertools.count()

    def wait_until_served(self) -> None:
        """Until an upload is taken again, without a restart; the server is to call itself ready."""
        wait_for(self._is_served, "an upload to be taken again", SERVED_SECONDS)
        ready = self._client.get("/readyz")
        if ready.status_code != 200:
            self._findings.add(Wrong.UNEXPECTED, f"it serves, but is not ready: {ready.text}")

    def pass_on(self) -> None:
        """Look at everything."""
        self._check_listing()
        for upload in self._ledger.kept():
            try:
                problem = self._what_is_wrong(upload)
            except httpx2.TransportError as error:
                problem = repr(error)
            if problem:
                self._findings.add(Wrong.LOST, f"{upload.name}: {problem}")
        self._check_tidiness()
        for entry in LOG_ENTRY.split(self._machine.news()):
            if "Traceback" in entry:
                self._findings.add(Wrong.UNEXPECTED, f"logged: {entry[:500]} … {entry[-1500:]}")
        self._remove_old()

    def _is_served(self) -> bool:
        upload = Upload(f"probe-{next(self._numbers)}.wav", SHORT[0])
        self._ledger.open(upload)
        headers = {**self._bearer, "Content-Type": "audio/wav"}
        query = {"name": upload.name}
        answer = self._client.post("/records", content=upload.wav, params=query, headers=headers)
        if answer.status_code == 201:
            self._ledger.keep(upload, answer.json())
            return True
        if answer.status_code not in (503, 507):
            self._findings.add(Wrong.UNEXPECTED, f"{answer.status_code} {answer.text[:500]}")
        self._ledger.doubt(upload)
        return False

    def _check_listing(self) -> None:
        listed = self._listed()
        by_name = {record["name"]: record for record in listed}
        if len(by_name) != len(listed):
            self._findings.add(Wrong.UNEXPECTED, "an upload became two records")
        for upload in self._ledger.kept():
            if by_name.get(upload.name) != upload.record:
                what = f"{upload.record} is listed as {by_name.get(upload.name)}"
                self._findings.add(Wrong.LOST, what)
        for name, record in by_name.items():
            found = self._ledger.find(name)
            if found is None or found.fate is Fate.NOTHING_KEPT:
                what = f"{name} is listed, of which nothing should be kept: {record}"
                self._findings.add(Wrong.HALF_VISIBLE, what)
            elif found.fate is Fate.UNKNOWN:
                self._ledger.count("kept, though its sender could not know")
                self._ledger.keep(found, record)

    def _listed(self) -> list[dict[str, Any]]:
        records: list[dict[str, Any]] = []
        cursor: str | None = ""
        while cursor is not None:
            query = {"limit": str(PAGE), **({"cursor": cursor} if cursor else {})}
            answer = self._client.get("/records", params=query, headers=self._bearer)
            page = answer.raise_for_status().json()
            records += page["records"]
            cursor = page["next"]
        return records

    def _what_is_wrong(self, upload: Upload) -> str:
        record = upload.record
        assert record is not None
        answer = self._client.get(record["url"])
        if problem := what_is_wrong(record, answer):
            return problem
        self._ledger.count("downloads checked")
        if upload.name in self._heard:
            return ""
        self._heard.add(upload.name)
        return self._what_differs(record["receipt"], upload) or (
            self._what_is_wrong_with_the_wav(record, upload)
            or upload.clip.what_is_wrong(answer.content)
        )

    def _what_differs(self, receipt: dict[str, Any], upload: Upload) -> str:
        told = (receipt["source"]["sha256"], receipt["mp3"]["samples"])
        sent = (hashlib.sha256(upload.wav).hexdigest(), upload.clip.samples)
        return "" if told == sent else f"its receipt says {told} instead of {sent}"

    def _what_is_wrong_with_the_wav(self, record: dict[str, Any], upload: Upload) -> str:
        answer = self._client.get(record["url"] + "&format=wav")
        if answer.status_code != (200 if self._keeps_wav else 404):
            return f"its WAV: {answer.status_code}"
        return "its WAV differs" if self._keeps_wav and answer.content != upload.wav else ""

    def _check_tidiness(self) -> None:
        machine = self._machine
        for what, remaining in (
            ("unfinished records, or chunks of none", lambda: count_unfinished(self._database_url)),
            ("processes of dead servers", machine.survivors),
            ("converters without an upload", lambda: converting(machine.server)),
            ("temporary files", machine.temporary_files),
        ):
            try:
                wait_for(lambda: not remaining(), f"no {what}", TIDY_SECONDS)  # noqa: B023
            except AssertionError:
                self._findings.add(Wrong.LEAKED, f"{what}: {remaining()}")

    def _remove_old(self) -> None:
        """So that the disks last; and what is removed has to be gone."""
        for upload in self._ledger.kept()[:-REMEMBERED]:
            assert upload.record is not None
            path = f"/records/{upload.record['id']}"
            removed = self._client.delete(path, headers=self._bearer).status_code
            after = self._client.get(upload.record["url"]).status_code
            if (removed, after) != (204, 404):
                what = f"{upload.name}: {removed} when it was removed, and {after} then"
                self._findings.add(Wrong.UNEXPECTED, what)
            self._ledger.forget(upload)
