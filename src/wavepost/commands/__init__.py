"""What `wavepost` does besides serving, a module for each command that takes more than a few lines.

`doctor` is a package. `maintenance` is what those share that go over the whole database,
`terminal` what people see.
"""
