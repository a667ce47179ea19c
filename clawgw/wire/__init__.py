"""The providers' wire formats, sans I/O: checked requests to bytes, bytes to OpenAI's shapes.

Rules of this package. No I/O, no clock, no randomness, no logging: what varies is handed in. The canonical form is
OpenAI's, because that is what clients speak: an answer is a `chat.completion` dict, a stream is a sequence of
`chat.completion.chunk` dicts. What an upstream does wrong is a `Failure`, raised in `WireError` by the parsers of whole
bodies and handed out as the last event by the parsers of streams. No input, whatever its bytes, raises anything else.
"""
