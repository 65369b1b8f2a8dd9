"""Faults that real machines have, thrown at the real server under load: `make chaos`.

201 is a promise. What is acknowledged is never lost, and what is half done is never seen.

clips      the sound that is sent
ledger     what was sent, and what the senders were told
findings   what should not have been
sender     sends recordings in every shape
listener   downloads what it knows of and what is listed
load       senders and listeners, at work all the time
disk       a small file system that can be full
databases  SQLite and PostgreSQL, each with what can befall it
postgres   PostgreSQL's processes: killed, frozen, started again
machine    the server's process: killed, stopped, started again
clients    senders who break off, stall, and say the wrong thing
faults     every fault there is
world      all of these together, and one fault after the other
verdict    looks for what was lost, half seen or left behind, while the load rests
report     how it goes, and tables at the end
"""

import os

SEED = os.environ.get("WAVEPOST_CHAOS_SEED", "1")
"""What every choice in the test suite follows from."""
