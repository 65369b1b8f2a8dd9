"""Every error a caller can meet: its code, its status and its sentence.

WavepostError
├── InvalidRequest        invalid_request     422, 400, 405, 408, 412, 415, 416
├── Unauthorized          unauthorized        401
├── NotFound              not_found           404
├── WavError              what the bytes themselves got wrong
│   ├── NotAWav           not_a_wav           415
│   ├── UnsupportedCodec  unsupported_codec   415
│   ├── DamagedWav        damaged_wav         422
│   ├── EmptyAudio        empty_audio         422
│   └── TooLong           too_long            413
├── TooLarge              too_large           413
├── DigestMismatch        digest_mismatch     422
├── IdempotencyConflict   idempotency_conflict  409, 422
├── OffsetConflict        offset_conflict     409
├── UploadLocked          upload_locked       423
├── QuotaExceeded         quota_exceeded      403
├── RateLimited           rate_limited        429
├── Busy                  busy                503
├── StorageFull           storage_full        507
└── Internal              internal            500

`detail` is read by strangers: it says what to do next and holds nothing internal.
Codes never change once released.
"""

from typing import ClassVar


class WavepostError(Exception):
    """An error with a stable `code`, an HTTP `status` and a sentence for the caller."""

    code: ClassVar[str]
    title: ClassVar[str]
    status: int

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class InvalidRequest(WavepostError):
    """The request itself is wrong; `errors` names each field that is."""

    code = "invalid_request"
    title = "The request is not valid"
    status = 422

    def __init__(
        self, detail: str, errors: list[dict[str, str]] | None = None, status: int = 422
    ) -> None:
        super().__init__(detail)
        self.errors = errors or []
        self.status = status

    @classmethod
    def field(cls, name: str, problem: str) -> "InvalidRequest":
        """One field is wrong: `problem` says how, and what would be right."""
        return cls(f"{name}: {problem}", [{"field": name, "detail": problem}])


class Unauthorized(WavepostError):
    """No token, a wrong one, or an id that is not its user's: one answer for all."""

    code = "unauthorized"
    title = "The access token is missing or wrong"
    status = 401

    def __init__(
        self,
        detail: str = "Send the user id and access token that POST /users answered with, "
        "as form fields or as 'Authorization: Bearer <access token>'.",
    ) -> None:
        super().__init__(detail)


class NotFound(WavepostError):
    """Unknown, malformed and somebody else's are the same to a stranger."""

    code = "not_found"
    title = "Not found"
    status = 404

    def __init__(
        self, detail: str = "There is no such recording. Check the link, or ask who sent it."
    ) -> None:
        super().__init__(detail)


class WavError(WavepostError):
    """What was sent is not a WAV that can become an MP3. Raised in the converter child."""


class NotAWav(WavError):
    """The bytes are something else; `detail` names what they look like."""

    code = "not_a_wav"
    title = "Not a WAV file"
    status = 415


class UnsupportedCodec(WavError):
    """A WAV whose codec is not taken; `detail` names its format tag."""

    code = "unsupported_codec"
    title = "The WAV's codec is not supported"
    status = 415


class DamagedWav(WavError):
    """A WAV from which no sound can be recovered."""

    code = "damaged_wav"
    title = "The WAV is damaged"
    status = 422


class EmptyAudio(WavError):
    """A WAV with no samples."""

    code = "empty_audio"
    title = "The WAV holds no sound"
    status = 422


class TooLong(WavError):
    """More seconds of sound than this server takes."""

    code = "too_long"
    title = "The recording is too long"
    status = 413


class TooLarge(WavepostError):
    """More bytes than this server takes."""

    code = "too_large"
    title = "The upload is too large"
    status = 413


class DigestMismatch(WavepostError):
    """The bytes that came are not those of `Content-Digest`."""

    code = "digest_mismatch"
    title = "The upload was altered on its way"
    status = 422


class IdempotencyConflict(WavepostError):
    """The key's first request still runs (409), or was a different one (422)."""

    code = "idempotency_conflict"
    title = "The idempotency key is taken"
    status = 409

    def __init__(self, detail: str, status: int = 409) -> None:
        super().__init__(detail)
        self.status = status


class OffsetConflict(WavepostError):
    """A piece of a resumable upload that does not begin where the last one ended."""

    code = "offset_conflict"
    title = "The upload goes on elsewhere"
    status = 409

    def __init__(
        self, detail: str = "Ask with HEAD where the upload stands, and send what comes after."
    ) -> None:
        super().__init__(detail)


class UploadLocked(WavepostError):
    """A resumable upload that is all here, and is being converted."""

    code = "upload_locked"
    title = "The upload is being converted"
    status = 423
    retry_after_seconds = 2

    def __init__(self) -> None:
        super().__init__("All of it is here and is being converted. Ask again in a moment.")


class QuotaExceeded(WavepostError):
    """The user keeps as much as they may."""

    code = "quota_exceeded"
    title = "Your storage is full"
    status = 403

    @classmethod
    def of_recordings(cls, quota_bytes: int) -> "QuotaExceeded":
        """What is kept would be more than `quota_bytes`."""
        return cls(
            f"You may keep {quota_bytes} bytes here, and this recording would be more. Remove some "
            "with DELETE /records/{id}, or ask the server's operator for more room."
        )

    @classmethod
    def of_unfinished(cls, unfinished_bytes: int, unfinished_uploads: int) -> "QuotaExceeded":
        """What is unfinished would be more than so many bytes, or uploads."""
        return cls(
            f"Up to {unfinished_uploads} uploads of yours may be unfinished, {unfinished_bytes} "
            "bytes in all. Finish some, or remove them with DELETE /uploads/{id}."
        )


class RateLimited(WavepostError):
    """Too many of something in a minute."""

    code = "rate_limited"
    title = "Too many requests"
    status = 429

    def __init__(self, what: str, retry_after_seconds: int) -> None:
        super().__init__(
            f"{what} a minute are taken here. Try again in {retry_after_seconds} seconds."
        )
        self.retry_after_seconds = retry_after_seconds


class Busy(WavepostError):
    """Not now: every converter is taken, or the database is out of reach for the moment."""

    code = "busy"
    title = "Try again in a moment"
    status = 503

    def __init__(self, detail: str, retry_after_seconds: int = 5) -> None:
        super().__init__(detail)
        self.retry_after_seconds = retry_after_seconds


class StorageFull(WavepostError):
    """The disk or the database has no room."""

    code = "storage_full"
    title = "The server's storage is full"
    status = 507


class Internal(WavepostError):
    """Anything else: the request id leads the operator to the log, the caller gets no more."""

    code = "internal"
    title = "Something went wrong on our side"
    status = 500

    def __init__(self) -> None:
        super().__init__(
            "Try again; if it happens again, give the request id to the service's operator."
        )


WAV_ERRORS: dict[str, type[WavError]] = {
    error.code: error for error in (NotAWav, UnsupportedCodec, DamagedWav, EmptyAudio, TooLong)
}
"""How an error that crossed from the converter child finds its class again."""
