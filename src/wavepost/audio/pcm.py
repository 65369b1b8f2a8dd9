"""16-bit samples, without numpy."""

from warnings import catch_warnings, simplefilter

with catch_warnings():
    # Python 3.13 has it no more; there the package audioop-lts brings it.
    simplefilter("ignore", DeprecationWarning)
    import audioop

SAMPLE_BYTES = 2
LOWEST, HIGHEST = -0x8000, 0x7FFF


def extremes(samples: bytes | memoryview) -> tuple[int, int]:
    """The lowest and the highest sample."""
    return audioop.minmax(samples, SAMPLE_BYTES)


def from_a_law(data: bytes) -> bytes:
    """A-law (ITU-T G.711), a byte a sample."""
    return audioop.alaw2lin(data, SAMPLE_BYTES)


def from_mu_law(data: bytes) -> bytes:
    """Mu-law (ITU-T G.711), a byte a sample."""
    return audioop.ulaw2lin(data, SAMPLE_BYTES)
