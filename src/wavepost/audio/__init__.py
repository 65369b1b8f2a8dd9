"""Sound: WAV in, MP3 out. Knows no HTTP and no SQL.

In the order a recording passes through:

source       counts and hashes the WAV's bytes as they come
container    RIFF chunks: what the WAV says of itself, and where its sound begins
decoder      that sound as frames of samples (FFmpeg, through PyAV)
meter        peak and clipping
encoder      16-bit samples to MP3 frames (LAME, through lameenc)
frames       MP3 headers: walks the frames that come out
info         the first frame, which tells players how long and where
conversion   all of the above in one pass

child        runs one conversion in a process of its own, within limits
converter    the parent's side of that process
"""
