"""The one place that builds things: opened in order, closed in reverse."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.exc import SQLAlchemyError

from wavepost.accounts import Accounts
from wavepost.audio.converters import Converters
from wavepost.audio.gate import Gate
from wavepost.errors import WavepostError
from wavepost.housekeeping import Housekeeping
from wavepost.recordings import Recordings
from wavepost.resumable import ResumableUploads
from wavepost.settings import Settings
from wavepost.storage import schema
from wavepost.storage.database import Database
from wavepost.storage.failures import reason
from wavepost.storage.retention import Retention
from wavepost.uploads import Uploads

log = logging.getLogger(__name__)

READINESS_SECONDS = 5
"""How long an answer holds: a stranger's polling must cost us next to nothing."""

WAITING_ROOM = 4
"""How many WAVs may wait in temporary files for credentials that come after them."""


class CannotStart(Exception):
    """A sentence for the operator: what is in the way, and what to do."""


class Readiness:
    """Whether the parts that serving needs work, asked of them now and then."""

    def __init__(self, database: Database, converters: Converters) -> None:
        self._parts = {"database": database.check, "converter": converters.check}
        self._lock = asyncio.Lock()
        self._checked_at = float("-inf")
        self._outcomes: dict[str, str] = {}

    async def check(self) -> dict[str, str]:
        """`ok`, or what is wrong, for each part; at most `READINESS_SECONDS` old."""
        async with self._lock:
            if time.monotonic() - self._checked_at > READINESS_SECONDS:
                self._outcomes = {
                    name: await _outcome(check()) for name, check in self._parts.items()
                }
                self._checked_at = time.monotonic()
            return self._outcomes


@dataclass(frozen=True)
class Service:
    """All that the web needs, ready to use."""

    settings: Settings
    accounts: Accounts
    uploads: Uploads
    resumable_uploads: ResumableUploads
    recordings: Recordings
    converters: Converters
    waiting_room: Gate
    readiness: Readiness


@asynccontextmanager
async def open_service(settings: Settings) -> AsyncIterator[Service]:
    """Build the service, with a database that is up to date. Raises CannotStart."""
    await asyncio.to_thread(prepare_database, settings)
    async with contextlib.AsyncExitStack() as stack:
        database = Database(settings.database)
        stack.push_async_callback(database.close)
        converters = Converters(
            settings.converter_slots,
            settings.converter_queue,
            settings.converter_wait_seconds,
            settings.max_seconds,
            settings.conversion_threads,
        )
        stack.push_async_callback(converters.close)
        try:
            await converters.check()
        except WavepostError as error:
            raise CannotStart(f"The converter does not work here: {error.detail}") from error
        retention = Retention(settings.retention_days)
        resumable_kept = timedelta(hours=settings.resumable_hours)
        housekeeping = Housekeeping(
            database,
            retention,
            abandoned_seconds=settings.abandoned_seconds,
            resumable_kept=resumable_kept,
        )
        uploads = Uploads(
            database,
            converters,
            housekeeping,
            retention,
            keep_wav=settings.keep_wav,
            quota_bytes=settings.quota_bytes,
            uploads_a_minute=settings.rate_limit,
        )
        await stack.enter_async_context(housekeeping.kept())
        yield Service(
            settings,
            Accounts(
                database,
                signup=settings.signup,
                signup_key=settings.signup_key.get_secret_value(),
                signups_a_minute=settings.signup_rate_limit,
                failures_a_minute=settings.failure_rate_limit,
            ),
            uploads,
            ResumableUploads(
                database,
                uploads,
                retention,
                kept=resumable_kept,
                max_bytes=settings.max_upload_bytes,
                unfinished_bytes=settings.unfinished_bytes,
            ),
            Recordings(database, retention, cache_bytes=settings.cache_bytes),
            converters,
            Gate(
                WAITING_ROOM,
                settings.converter_queue,
                settings.converter_wait_seconds,
                "Too many WAVs wait for their credentials. Send the credentials before the file.",
            ),
            Readiness(database, converters),
        )


def prepare_database(settings: Settings) -> None:
    """Migrate an embedded database; insist that a server's was migrated. Raises CannotStart."""
    if settings.sqlite_file:
        migrate(settings)
        return
    with _sentences(settings):
        is_current = schema.is_current(settings.database)
    if not is_current:
        raise CannotStart(
            "The database's tables are not those of this version. Run: wavepost migrate"
        )


def migrate(settings: Settings) -> None:
    """Bring the database to the newest migration. Raises CannotStart."""
    with _sentences(settings):
        if settings.sqlite_file:
            settings.sqlite_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        schema.upgrade(settings.database)


@contextlib.contextmanager
def _sentences(settings: Settings) -> Iterator[None]:
    where = settings.database_shown
    try:
        yield
    except OSError as error:
        raise CannotStart(
            f"Can't use the data folder of {where}: {error.strerror}. Name another with --data."
        ) from error
    except SQLAlchemyError as error:
        raise CannotStart(f"Can't use the database {where}: {reason(error)}") from error


async def _outcome(check: Awaitable[None]) -> str:
    try:
        await check
    except WavepostError as error:
        return error.detail
    except OSError:
        log.exception("a part that serving needs can't be checked")
        return "It can't be checked; the log says why."
    return "ok"
