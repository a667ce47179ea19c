"""Trio at work: attempts, races, and the upstreams they call. The only package that awaits an upstream."""
