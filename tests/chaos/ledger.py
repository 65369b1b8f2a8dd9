"""What was sent, and what its senders were told."""

import threading
from collections import Counter
from dataclasses import dataclass
from enum import Enum
from typing import Any

from tests.chaos.clips import Clip


class Fate(Enum):
    """What a sender knows of an upload; it may rise from one to the next."""

    NOTHING_KEPT = "refused, or cut off before all was sent"
    UNKNOWN = "the connection died after all was sent, or the database before it answered"
    KEPT = "acknowledged"


@dataclass
class Upload:
    """One recording on its way.

    Attributes:
        name: no other upload has it.
        turn: what makes the clip a recording of its own.
        options: the query's.
        key: the Idempotency-Key; an upload with one is sent again until it is acknowledged.
        record: the answer, once it is acknowledged.
    """

    name: str
    clip: Clip
    turn: int = 0
    options: tuple[tuple[str, str], ...] = ()
    key: str | None = None
    fate: Fate = Fate.NOTHING_KEPT
    record: dict[str, Any] | None = None

    @property
    def wav(self) -> bytes:
        """The bytes that are sent."""
        return self.clip.turned(self.turn)


class Ledger:
    """Every upload by its name, and how often what happened."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._uploads: dict[str, Upload] = {}
        self.counts: Counter[str] = Counter()

    def open(self, upload: Upload) -> None:
        """It is about to be sent."""
        with self._lock:
            self._uploads[upload.name] = upload

    def keep(self, upload: Upload, record: dict[str, Any]) -> None:
        """It was acknowledged."""
        with self._lock:
            upload.fate, upload.record = Fate.KEPT, record

    def doubt(self, upload: Upload) -> None:
        """Nobody can tell whether it was kept."""
        with self._lock:
            if upload.fate is Fate.NOTHING_KEPT:
                upload.fate = Fate.UNKNOWN

    def forget(self, upload: Upload) -> None:
        """Its record was removed."""
        with self._lock:
            del self._uploads[upload.name]

    def find(self, name: str) -> Upload | None:
        """The upload of this name."""
        with self._lock:
            return self._uploads.get(name)

    def kept(self) -> list[Upload]:
        """Those that were acknowledged, oldest first."""
        with self._lock:
            return [upload for upload in self._uploads.values() if upload.fate is Fate.KEPT]

    def count(self, what: str) -> None:
        """One more of these."""
        with self._lock:
            self.counts[what] += 1
