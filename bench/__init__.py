"""Measures wavepost beside the tools that its users would reach for: `make bench`.

sounds     the WAVs, speech-like and music-like
commands   whole processes, in turns: wall time, CPU time, peak memory
service    uploads over HTTP to a real server
downloads  a link's MP3 beside the same file from FastAPI and nginx
report     tables for the terminal and for docs/performance.md
"""
