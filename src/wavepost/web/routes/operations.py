"""What operators and clients ask of the service itself."""

from fastapi import APIRouter, Response, status

from wavepost.audio.codecs import CODECS
from wavepost.audio.encoder import QUALITIES
from wavepost.audio.format import MAX_CHANNELS, MAX_SAMPLE_RATE, MIN_SAMPLE_RATE
from wavepost.audio.frames import ALL_BITRATES
from wavepost.audio.riff import FORMATS
from wavepost.web.answers import HealthAnswer, LimitsAnswer, ReadinessAnswer
from wavepost.web.caller import CurrentService
from wavepost.web.uploads import FILE_FIRST_BYTES

router = APIRouter(tags=["operations"])


@router.get("/limits")
async def limits(service: CurrentService) -> LimitsAnswer:
    """What this server accepts."""
    settings = service.settings
    return LimitsAnswer(
        signup=settings.signup,
        max_upload_bytes=settings.max_upload_bytes,
        max_upload_bytes_file_first=min(settings.max_upload_bytes, FILE_FIRST_BYTES),
        unfinished_bytes=settings.unfinished_bytes,
        resumable_hours=settings.resumable_hours,
        max_seconds=settings.max_seconds,
        formats=[*FORMATS],
        codecs=CODECS,
        min_sample_rate=MIN_SAMPLE_RATE,
        max_sample_rate=MAX_SAMPLE_RATE,
        max_channels=MAX_CHANNELS,
        bitrates=list(ALL_BITRATES),
        qualities=list(QUALITIES),
        keeps_wav=settings.keep_wav,
        retention_days=settings.retention_days or None,
        uploads_a_minute=settings.rate_limit or None,
    )


@router.get("/healthz")
async def health() -> HealthAnswer:
    """Alive: the process answers."""
    return HealthAnswer(status="ok")


@router.get("/readyz", responses={503: {"model": ReadinessAnswer}})
async def readiness(service: CurrentService, response: Response) -> ReadinessAnswer:
    """Able to serve: the database answers and a converter converts."""
    checks = await service.readiness.check()
    if all(outcome == "ok" for outcome in checks.values()):
        return ReadinessAnswer(status="ok", checks=checks)
    response.status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    response.headers["Retry-After"] = "5"
    return ReadinessAnswer(status="unavailable", checks=checks)
