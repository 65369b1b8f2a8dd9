"""What a caller would rather have (RFC 9110, section 12)."""

import re


def quality(header: str, wanted: str) -> float:
    """How much `header` wants a media type, or a language with all its regions; 0 if unnamed.

    Args:
        header: the value of `Accept` or `Accept-Language`.
        wanted: in small letters, as `text/plain` or `ru`.
    """
    found = 0.0
    for part in header.lower().split(","):
        name, _, parameters = part.partition(";")
        if name.strip() == wanted or name.strip().startswith(f"{wanted}-"):
            weight = re.search(r"(?:^|;)\s*q=([01](?:\.[0-9]{0,3})?)\s*(?:;|$)", parameters)
            found = max(found, float(weight[1]) if weight else 1.0)
    return found
