"""What was read lately, and look-ups that are under way."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Cache(Generic[Key, Value]):
    """What was used last, up to so many bytes (or whatever `size` counts in)."""

    def __init__(self, limit: int, size: Callable[[Value], int]) -> None:
        self._left = limit
        self._size = size
        self._values: OrderedDict[Key, Value] = OrderedDict()

    def get(self, key: Key) -> Value | None:
        """The value, if it is here."""
        value = self._values.get(key)
        if value is not None:
            self._values.move_to_end(key)
        return value

    def put(self, key: Key, value: Value) -> None:
        """Keep the value, at the cost of those that were not used the longest."""
        self.forget(key)
        self._values[key] = value
        self._left -= self._size(value)
        while self._left < 0:
            self.forget(next(iter(self._values)))

    def forget(self, key: Key) -> None:
        """Drop the value, if it is here."""
        value = self._values.pop(key, None)
        if value is not None:
            self._left += self._size(value)


class SharedLookup(Generic[Key, Value]):
    """One look-up answers all who ask for the same thing while it waits to begin.

    None gets an answer to a question that was put before its own: what was removed before a
    caller asked is gone for that caller.
    """

    def __init__(self, look_up: Callable[[Key], Awaitable[Value]]) -> None:
        self._look_up = look_up
        self._waiting: dict[Key, asyncio.Task[Value]] = {}
        self._running: dict[Key, asyncio.Task[Value]] = {}

    async def get(self, key: Key) -> Value:
        """What `look_up` returns or raises."""
        task = self._waiting.get(key)
        if task is None:
            task = asyncio.create_task(self._after(self._running.get(key), key))
            # Should all who wait be cancelled, its failure is nobody's.
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
            self._waiting[key] = task
        return await asyncio.shield(task)

    async def _after(self, before: asyncio.Task[Value] | None, key: Key) -> Value:
        if before is not None:
            await asyncio.wait([before])
        self._running[key] = self._waiting.pop(key)
        try:
            return await self._look_up(key)
        finally:
            del self._running[key]
