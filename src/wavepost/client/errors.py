"""What may go wrong between a client and a server.

ClientError
├── Refused            the server said no: `code`, `status`, `detail`
│   ├── Unauthorized   unauthorized
│   ├── NotFound       not_found
│   └── UnusableWav    not_a_wav, unsupported_codec, damaged_wav, empty_audio, too_long, too_large
├── Unreachable        no connection, no answer in time, or one that was cut off
│   └── NotWavepost    something else answered: a proxy, another server
├── SourceChanged      the file became another while it was sent
└── Damaged            what was downloaded is not what the server keeps

The text is for people and says what to do next. None holds a token.
"""

TRANSIENT_STATUSES = frozenset({408, 409, 423, 425, 429, 500, 502, 503, 504})
"""Of a server's own refusals; 507 is not among them: its disk is not emptied by asking again."""

PROXY_TRANSIENT_STATUSES = frozenset({408, 425, 429, 502, 503, 504})
"""Of answers that are not the server's own."""


class ClientError(Exception):
    """Anything that a client may raise besides OSError and ValueError.

    Attributes:
        passes: whether the same may well succeed in a moment.
        retry_after_seconds: how long the server asked to wait, if it did.
    """

    passes: bool = False
    retry_after_seconds: float | None = None


class Refused(ClientError):
    """The server said no.

    Attributes:
        code: which error of docs/api.md it is; codes never change.
        status: of HTTP.
        detail: the server's sentence.
        request_id: what leads its operator to the log, or "".
    """

    def __init__(
        self,
        code: str,
        status: int,
        detail: str,
        request_id: str = "",
        retry_after_seconds: float | None = None,
    ) -> None:
        super().__init__(code, status, detail, request_id, retry_after_seconds)
        self.code = code
        self.status = status
        self.detail = detail
        self.request_id = request_id
        self.retry_after_seconds = retry_after_seconds
        self.passes = status in TRANSIENT_STATUSES

    def __str__(self) -> str:
        return self.detail


class Unauthorized(Refused):
    """The token is missing or wrong."""


class NotFound(Refused):
    """There is no such recording, or it is somebody else's."""


class UnusableWav(Refused):
    """No MP3 can be made of these bytes, however often they are sent."""


KINDS: dict[str, type[Refused]] = {
    "unauthorized": Unauthorized,
    "not_found": NotFound,
    **dict.fromkeys(
        ("not_a_wav", "unsupported_codec", "damaged_wav", "empty_audio", "too_long", "too_large"),
        UnusableWav,
    ),
}
"""The class of each code that has one of its own."""


class Unreachable(ClientError):
    """No connection, no answer in time, or an answer that was cut off."""

    passes = True

    def __init__(self, sentence: str, *, passes: bool = True) -> None:
        super().__init__(sentence)
        self.passes = passes


class NotWavepost(Unreachable):
    """Something that is not wavepost answered.

    Attributes:
        status: of HTTP.
    """

    def __init__(
        self, sentence: str, status: int, retry_after_seconds: float | None = None
    ) -> None:
        super().__init__(sentence, passes=status in PROXY_TRANSIENT_STATUSES)
        self.status = status
        self.retry_after_seconds = retry_after_seconds


class SourceChanged(ClientError):
    """The file became another while it was sent. Send it again once nothing writes to it.

    Attributes:
        record_id: what the server made of the bytes that it got, if it made anything.
    """

    def __init__(self, sentence: str, record_id: str | None = None) -> None:
        super().__init__(sentence)
        self.record_id = record_id


class Damaged(ClientError):
    """What was downloaded is not what the server keeps. It was not written where it was to go."""
