"""Sound: WAV in, MP3 out. Knows no HTTP and no SQL.

In the order a recording passes through:

source       counts and hashes the WAV's bytes as they come
riff         chunks (RIFF and its kin)
container    what the WAV says of itself, and where its sound begins and ends
format       … its `fmt ` chunk
tags         … who and what it says it is (`id3`)
looks        … or what it looks like, if it is no WAV
codecs       which codecs are taken
data         the bytes of the sound, and what was wrong with them
sound        the sound as what MP3 holds: 16 bits, one or two channels, nine rates (`rates`)
plain        … where the WAV has just that, as most do
decoded      … where FFmpeg decodes it (`decoder`), and it is mixed down and resampled (`mixer`)
speakers     … by which channel is where
pcm          16-bit samples
levels       peak and clipping, measured by `plain` or, for samples of any kind, by `meter`
waveform     the sound's shape, for drawing
warnings     all that a receipt may warn of
encoder      these samples to an MP3 (LAME, through lameenc)
segments     the sound cut into parts for several cores
segment      one part, encoded on its own thread
joins        where the frames of one part can follow those of the one before
frames       MP3 headers: what comes out of an encoder, and what it adds up to
info         the first frame, which tells players how long and where
conversion   all of the above in one pass
files        a conversion from a file to a file

child        runs one conversion in a process of its own
sandbox      … and what it may not do there
converter    the parent's side of that process
converters   … which starts it, so many at once
"""
