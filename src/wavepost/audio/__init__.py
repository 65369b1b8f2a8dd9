"""Sound: WAV in, MP3 out. Knows no HTTP and no SQL.

In the order a recording passes through:

source       counts and hashes the WAV's bytes as they come
container    RIFF chunks: what the WAV says of itself, and where its sound begins
decoder      that sound as frames of samples (FFmpeg, through PyAV)
meter        peak and clipping
mixer        mixed down and resampled to what MP3 holds: 16 bits, one or two channels
encoder      these samples to an MP3 (LAME, through lameenc)
segments     the sound cut into parts for several cores
segment      one part, encoded on its own thread
joins        where the frames of one part can follow those of the one before
frames       MP3 headers: what comes out of an encoder, and what it adds up to
info         the first frame, which tells players how long and where
conversion   all of the above in one pass
files        a conversion from a file to a file

child        runs one conversion in a process of its own, within limits
converter    the parent's side of that process
"""
