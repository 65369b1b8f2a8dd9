"""What a converter child may not do, even if a hostile WAV should make it run foreign code.

It has limits on memory and processor time, can open nothing and write to no file (limits of
zero), and on Linux (x86-64 and 64-bit ARM) the kernel refuses it new processes, other programs
and new sockets (seccomp, as in seccomp(2)).
"""

import contextlib
import ctypes
import errno
import os
import platform
import resource
import signal
import struct

MEMORY_BYTES = 512 * 1024 * 1024
"""What a conversion may take on top of the libraries; an hour of stereo on two cores, as a
command, had 92 MiB with them."""

THREAD_BYTES = 160 * 1024 * 1024
"""The address space of a thread: its stack, and what malloc sets aside for it (glibc: 128 MiB)."""

_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 38, 22, 2
_LOAD, _JUMP_IF_EQUAL, _JUMP_IF_AT_LEAST, _JUMP_IF_BITS, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16
_ALLOW, _REFUSE = 0x7FFF_0000, 0x0005_0000
_CLONE_THREAD = 0x0001_0000
_X32 = 0x4000_0000
"""The same calls for programs with short pointers have numbers from here on (x86-64)."""

_ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_CLONE = {"x86_64": 56, "aarch64": 220}
_CLONE3 = 435
_REFUSED = {
    # fork, vfork, execve, execveat, socket, ptrace
    "x86_64": (57, 58, 59, 322, 41, 101),
    # execve, execveat, socket, ptrace
    "aarch64": (221, 281, 198, 117),
}


def confine(threads: int) -> None:
    """Give up, for good, all that a conversion on so many threads does not need."""
    # Ctrl-C reaches the whole process group, and systemd tells every process of a service to
    # stop; the parent decides what it means for us.
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, signal.SIG_IGN)
    os.environ.clear()
    # Linux only: macOS has no /proc, and its kernel does not hold processes to RLIMIT_AS.
    with contextlib.suppress(OSError):
        _limit(resource.RLIMIT_AS, _occupied_bytes() + MEMORY_BYTES + threads * THREAD_BYTES)
    for limit in (resource.RLIMIT_NOFILE, resource.RLIMIT_FSIZE, resource.RLIMIT_CORE):
        _limit(limit, 0)
    _refuse_system_calls()


def allow_cpu_seconds(seconds: int) -> None:
    """Grant so much processor time from now on; it ends the process."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    used = int(usage.ru_utime + usage.ru_stime)
    _limit(resource.RLIMIT_CPU, used + seconds)


def _limit(what: int, value: int) -> None:
    """Set the soft limit, at most as high as the hard one, which the operator may have lowered."""
    hard = resource.getrlimit(what)[1]
    soft = value if hard == resource.RLIM_INFINITY else min(value, hard)
    # CPU time alone is granted again and again; the rest is final.
    resource.setrlimit(what, (soft, hard if what == resource.RLIMIT_CPU else soft))


def _occupied_bytes() -> int:
    """The address space that the libraries take already."""
    with open("/proc/self/statm", encoding="ascii") as statm:
        return int(statm.read().split()[0]) * resource.getpagesize()


def _refuse_system_calls() -> None:
    """Where the kernel lacks seccomp, the limits are all there is."""
    machine = platform.machine()
    if machine not in _ARCHITECTURES or not hasattr(_LIBC, "prctl"):
        return
    program = b"".join(_filter(machine))
    instructions = ctypes.create_string_buffer(program, len(program))
    length = len(program) // _INSTRUCTION.size
    described = struct.pack("HxxxxxxP", length, ctypes.addressof(instructions))
    if _LIBC.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0:
        _LIBC.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, described, 0, 0)


_LIBC = ctypes.CDLL(None, use_errno=True)
_INSTRUCTION = struct.Struct("HBBI")


def _filter(machine: str) -> list[bytes]:
    """The program in the kernel's packet filter language: allow all but a few calls."""
    refused = _REFUSED[machine]
    program = [
        _INSTRUCTION.pack(_LOAD, 0, 0, _ARCHITECTURE),
        _INSTRUCTION.pack(_JUMP_IF_EQUAL, 1, 0, _ARCHITECTURES[machine]),
        _INSTRUCTION.pack(_RETURN, 0, 0, _REFUSE | errno.EPERM),
        _INSTRUCTION.pack(_LOAD, 0, 0, _NUMBER),
        _INSTRUCTION.pack(_JUMP_IF_AT_LEAST, 0, 1, _X32),
        _INSTRUCTION.pack(_RETURN, 0, 0, _REFUSE | errno.EPERM),
    ]
    for number in refused:
        program += [
            _INSTRUCTION.pack(_JUMP_IF_EQUAL, 0, 1, number),
            _INSTRUCTION.pack(_RETURN, 0, 0, _REFUSE | errno.EPERM),
        ]
    program += [
        # Its flags are in memory, where no filter can look: the C library then uses clone.
        _INSTRUCTION.pack(_JUMP_IF_EQUAL, 0, 1, _CLONE3),
        _INSTRUCTION.pack(_RETURN, 0, 0, _REFUSE | errno.ENOSYS),
        _INSTRUCTION.pack(_JUMP_IF_EQUAL, 0, 3, _CLONE[machine]),
        _INSTRUCTION.pack(_LOAD, 0, 0, _FIRST_ARGUMENT),
        _INSTRUCTION.pack(_JUMP_IF_BITS, 1, 0, _CLONE_THREAD),
        _INSTRUCTION.pack(_RETURN, 0, 0, _REFUSE | errno.EPERM),
        _INSTRUCTION.pack(_RETURN, 0, 0, _ALLOW),
    ]
    return program
