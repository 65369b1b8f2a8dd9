"""So many of something a minute for each party, counted for all servers on one database."""

import math
import time
from ipaddress import IPv6Address, ip_address

from wavepost.errors import RateLimited
from wavepost.storage import allowances
from wavepost.storage.database import Database

IPV6_PREFIX_BITS = 64
"""What one subscriber gets (RFC 6177): each of its addresses is the same party."""

MAX_ADDRESS_CHARACTERS = 50


class RateLimit:
    """One kind of thing that is counted."""

    def __init__(self, database: Database, what: str, a_minute: int) -> None:
        """`what` names it, for its callers too; `a_minute` of 0 is no limit."""
        self._database = database
        self._what = what
        self._a_minute = a_minute

    async def hit(self, who: str) -> None:
        """Count one more. Raises RateLimited where it is one too many, which then counts not."""
        if not self._a_minute:
            return
        party, now = f"{self._what}: {who}", time.time()
        # Those who are over it cost a read each, not a place in the queue of writers.
        async with self._database.read() as session:
            wait = await allowances.seconds_to_wait(session, party, self._a_minute, now)
        if not wait:
            async with self._database.write() as session:
                if await allowances.take(session, party, self._a_minute, now):
                    return
                wait = await allowances.seconds_to_wait(session, party, self._a_minute, now)
        raise RateLimited(f"{self._a_minute} {self._what}", math.ceil(wait) or 1)


def network(address: str) -> str:
    """The party behind an address."""
    try:
        parsed = ip_address(address)
    except ValueError:
        # What a proxy says of somebody whom it does not know.
        return address[:MAX_ADDRESS_CHARACTERS]
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        host_bits = parsed.max_prefixlen - IPV6_PREFIX_BITS
        return str(IPv6Address(int(parsed) >> host_bits << host_bits))
    return str(parsed)
