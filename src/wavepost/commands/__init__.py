"""What `wavepost` does besides serving, a module for each command that takes more than a few lines.

`maintenance` is what those share that go over the whole database, `terminal` what people see.
"""
