"""Whether somebody has a file open for writing, where Linux can tell.

It gives a lease for reading only on a file that nobody has open for writing, and only to the file's
owner or to who has CAP_LEASE. The lease is given back at once: nobody who opens the file later has
to wait for us.
"""

import errno
import fcntl
from typing import IO


def is_being_written(file: IO[bytes]) -> bool | None:
    """Whether it is; None where nobody can tell: another's file, NFS, another system."""
    if not hasattr(fcntl, "F_SETLEASE"):
        return None
    try:
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except OSError as error:
        return True if error.errno == errno.EAGAIN else None
    fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    return False
