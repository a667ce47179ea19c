"""What the built-in echo says. Deterministic: the same request gets the same answer."""
