"""Configuration: text and environment in, one checked and frozen `Snapshot` out.

`load.load` is the way in. First stage: every value has its type and range (`shape`, after the classes of `tables`).
Second stage: whatever names something names something that exists (`references`, `providers`). Every mistake of both
is reported at once. Nothing here does I/O: files come through a function that is handed in.
"""
