"""Downloads what it knows of and what is listed, also while things break."""

import hashlib
import random
import time
from typing import Any

import httpx2

from tests.chaos.findings import Findings, Wrong
from tests.chaos.ledger import Ledger
from tests.chaos.machine import Spell
from tests.chaos.sender import Address

LISTED = 20


class Listener:
    """Whatever it gets to see has to be whole."""

    def __init__(
        self,
        address: Address,
        ledger: Ledger,
        findings: Findings,
        trouble: Spell,
        dice: random.Random,
    ) -> None:
        """While `trouble` lasts, it may hear nothing, or 503."""
        self._client = address.client()
        self._bearer = address.bearer
        self._ledger = ledger
        self._findings = findings
        self._trouble = trouble
        self._dice = dice

    def work(self) -> None:
        """Download one recording."""
        started = time.monotonic()
        try:
            self._check_one(started)
        except httpx2.TransportError as error:
            # An answer under way can't become a 503: it is cut off.
            if not self._trouble.touched(started):
                self._findings.add(Wrong.UNEXPECTED, f"a download was cut off: {error!r}")

    def _check_one(self, started: float) -> None:
        known = self._ledger.kept()
        if known and self._dice.random() < 0.5:
            record = self._dice.choice(known).record
        else:
            record = self._any_listed(started)
        if record is not None:
            self._check(record, started)

    def _any_listed(self, started: float) -> dict[str, Any] | None:
        answer = self._client.get("/records", params={"limit": LISTED}, headers=self._bearer)
        if not self._is_fine(answer, started) or not (listed := answer.json()["records"]):
            return None
        record: dict[str, Any] = self._dice.choice(listed)
        if self._ledger.find(record["name"]) is None:
            self._findings.add(Wrong.UNEXPECTED, f"{record['name']} is listed, but nobody sent it")
        return record

    def _check(self, record: dict[str, Any], started: float) -> None:
        answer = self._client.get(record["url"])
        if self._is_fine(answer, started):
            self._ledger.count("downloads checked")
            if problem := what_is_wrong(record, answer):
                self._findings.add(Wrong.HALF_VISIBLE, f"{record['name']}: {problem}")

    def _is_fine(self, answer: httpx2.Response, started: float) -> bool:
        if answer.status_code == 200:
            return True
        if answer.status_code != 503 or not self._trouble.touched(started):
            self._findings.add(
                Wrong.UNEXPECTED, f"{answer.url}: {answer.status_code} {answer.text[:500]}"
            )
        return False


def what_is_wrong(record: dict[str, Any], answer: httpx2.Response) -> str:
    """How a download is not what its receipt says; empty where it is."""
    expected = record["receipt"]["mp3"]["sha256"]
    if answer.status_code != 200:
        return f"{answer.status_code} {answer.text[:500]}"
    if hashlib.sha256(answer.content).hexdigest() != expected:
        return f"{len(answer.content)} bytes with another hash than the receipt's"
    if len(answer.content) != record["bytes"]:
        return f"{len(answer.content)} bytes instead of {record['bytes']}"
    if answer.headers["etag"] != f'"{expected}"':
        return f"the ETag {answer.headers['etag']}"
    return ""
