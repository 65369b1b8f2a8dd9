"""What is tried again, when, and for how long."""

import random
import time
from collections.abc import Callable
from typing import TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception, wait_random_exponential

from wavepost.client.errors import ClientError

Result = TypeVar("Result")
OnRetry = Callable[[ClientError, float], None]
"""Told of each failure that is tried again, and in how many seconds."""

FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 0.5, 30.0


class Patience:
    """Goes on trying until it has failed for `seconds` since it last got on.

    It waits for a random part of a time that doubles (full jitter), so that many who failed
    together don't come back together; where the server names a time, for that and such a part.
    """

    def __init__(self, seconds: float, on_retry: OnRetry | None = None) -> None:
        self._seconds = seconds
        self._on_retry = on_retry
        self._jitter = wait_random_exponential(FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS)
        self._failures = 0
        self._failing_since: float | None = None

    @property
    def has_failed(self) -> bool:
        """Whether what is under way is not the first try since it last got on."""
        return self._failures > 0

    def got_on(self) -> None:
        """Something was achieved that no failure takes back: its time begins anew."""
        self._failures, self._failing_since = 0, None

    def call(self, attempt: Callable[[], Result]) -> Result:
        """What `attempt` gives, as soon as it does. Raises its last error."""
        retrying = Retrying(
            retry=retry_if_exception(_passes),
            wait=self._wait,
            stop=self._is_over,
            before_sleep=self._tell,
            reraise=True,
        )
        return retrying(attempt)

    def _wait(self, state: RetryCallState) -> float:
        self._failures += 1
        if self._failing_since is None:
            self._failing_since = time.monotonic()
        state.attempt_number = self._failures
        jitter = float(self._jitter(state))
        asked = _error(state).retry_after_seconds
        return jitter if asked is None else asked + min(jitter, random.random())  # noqa: S311

    def _is_over(self, state: RetryCallState) -> bool:
        assert self._failing_since is not None
        return time.monotonic() + state.upcoming_sleep > self._failing_since + self._seconds

    def _tell(self, state: RetryCallState) -> None:
        if self._on_retry:
            self._on_retry(_error(state), state.upcoming_sleep)


def _passes(error: BaseException) -> bool:
    return isinstance(error, ClientError) and error.passes


def _error(state: RetryCallState) -> ClientError:
    error = state.outcome.exception() if state.outcome else None
    assert isinstance(error, ClientError)
    return error
