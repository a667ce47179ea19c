"""Decisions: which targets, in which order, what after a failure, and what the client is told. Pure."""
