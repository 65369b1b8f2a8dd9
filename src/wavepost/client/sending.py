"""One recording in one request."""

import base64
import hashlib
from collections.abc import Iterable, Iterator

from wavepost.client.answers import Malformed, Record
from wavepost.client.connection import Connection
from wavepost.client.errors import NotWavepost, SourceChanged
from wavepost.client.patience import Patience
from wavepost.client.source import Options, Progress, Source, counted


def send(
    connection: Connection,
    source: Source,
    options: Options,
    key: str,
    patience: Patience,
    progress: Progress | None,
) -> Record:
    """POST a file, as often as it takes. Raises ClientError, and OSError where it can't be read."""
    digest = base64.b64encode(bytes.fromhex(source.sha256)).decode()
    headers = {
        "Content-Length": str(source.size),
        "Content-Digest": f"sha-256=:{digest}:",
        "Idempotency-Key": key,
    }

    def attempt() -> Record:
        pieces = counted(source.pieces(0, source.size), progress, 0)
        return _post(connection, pieces, options, headers)

    return same(patience.call(attempt), source.sha256)


def send_once(
    connection: Connection,
    pieces: Iterable[bytes],
    options: Options,
    key: str | None,
    progress: Progress | None,
) -> Record:
    """POST what can be read but once. Raises ClientError, and whatever `pieces` does."""
    digest = hashlib.sha256()

    def hashed() -> Iterator[bytes]:
        for piece in pieces:
            digest.update(piece)
            yield piece

    headers = {"Idempotency-Key": key} if key else {}
    record = _post(connection, counted(hashed(), progress, 0), options, headers)
    return same(record, digest.hexdigest())


def same(record: Record, sha256: str) -> Record:
    """The record. Raises SourceChanged where it was made of other bytes than those sent."""
    if record.source_sha256 != sha256:
        raise SourceChanged(
            f"The server kept other bytes than the file has now, as recording {record.id}. "
            "Remove it, and send the file again once nothing writes to it.",
            record.id,
        )
    return record


def read_record(answer: object, status: int) -> Record:
    """A record in an answer. Raises NotWavepost where it is none."""
    try:
        if isinstance(answer, dict):
            return Record.read(answer)
    except Malformed:
        pass
    sentence = "The server's answer is not understood: is it a wavepost, and newer than this one?"
    raise NotWavepost(sentence, status)


def _post(
    connection: Connection, pieces: Iterator[bytes], options: Options, headers: dict[str, str]
) -> Record:
    query = options.fields() | ({"name": options.name} if options.name else {})
    headers = {"Content-Type": "audio/wav", **headers}
    answered = connection.ask("POST", "/records", query=query, headers=headers, content=pieces)
    return read_record(answered.json(), answered.status)
