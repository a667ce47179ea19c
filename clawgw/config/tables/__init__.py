"""Frozen classes, one per table of `gateway.toml`, with every default and range.

Field names are the file's keys; units are in the names. `docs/configuration.md` describes every key.
"""
