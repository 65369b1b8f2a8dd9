"""wavepost: POST a WAV, get an MP3 link.

cli          the commands; `__main__` is their door
convert      the command `wavepost convert`
fsck         `wavepost fsck`: whether what is kept is whole
backup       `wavepost backup`: all of it in one file
restore      `wavepost restore`: a backup becomes the database
maintenance  what these three share
web          the only code that knows HTTP
bootstrap    builds the parts below and closes them again
accounts     register, authenticate, rotate a token, leave
uploads      take a recording in: convert it while it arrives, keep it, publish it
recordings   find, list, read, remove
audio        WAV in, MP3 out: knows no HTTP and no SQL
storage      durable state: models, queries, migrations
settings     the only reader of the environment
errors       every error a caller can meet
terminal     the progress bar
"""

__version__ = "0.1.0"
