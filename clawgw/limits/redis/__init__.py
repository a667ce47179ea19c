"""Limits that all machines share: one script for each decision, run by a Redis, and what to do while it is away."""
