"""The Python client: send recordings to a wavepost server, list, download and remove them.

    from wavepost.client import Client

    with Client("https://post.example.org", token) as client:
        print(client.push("call.wav").url)

client       Client: what can be asked of a server
answers      what a server says: User, Record
errors       what may go wrong, each with a sentence; the tree is drawn on top
source       what is sent: its bytes, its hash, and whether it stayed as it was
sending      one recording in one request
resuming     one recording in as many requests as the line needs (tus)
kept         whether the server has it already
downloading  an MP3, whole and checked
turns        one thread at a time for the same recording
connection   HTTP: the token, the time limits, and the server's answers or what came instead
patience     what is tried again, when, and for how long

It knows nothing of the server but its API, and imports none of it.
"""

from wavepost.client.answers import Account, Limits, NewUser, Record, User
from wavepost.client.client import Client
from wavepost.client.errors import (
    ClientError,
    Damaged,
    NotFound,
    NotWavepost,
    Refused,
    SourceChanged,
    Unauthorized,
    Unreachable,
    UnusableWav,
)

__all__ = [
    "Account",
    "Client",
    "ClientError",
    "Damaged",
    "Limits",
    "NewUser",
    "NotFound",
    "NotWavepost",
    "Record",
    "Refused",
    "SourceChanged",
    "Unauthorized",
    "Unreachable",
    "UnusableWav",
    "User",
]
