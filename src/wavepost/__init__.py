"""wavepost: POST a WAV, get an MP3 link.

cli           the command line; `__main__` is its door
commands      what `convert`, `fsck`, `backup` and `restore` do
web           the only code that knows HTTP
bootstrap     builds the parts below and closes them again
accounts      register, authenticate, rotate a token, leave
uploads       take a recording in: convert it while it arrives, keep it, publish it
recordings    find, list, read, remove
housekeeping  keeps uploads under way alive, sweeps what is over
rate_limit    so many of something a minute
audio         WAV in, MP3 out: knows no HTTP and no SQL
storage       durable state: models, queries, migrations
settings      the only reader of the environment
errors        every error a caller can meet
machine       how many cores there are
client        the Python client: knows the API, and nothing else of all this
"""

__version__ = "0.1.0"
