"""Whatever is to be in the log goes through here first: append-only files that outlast the process."""
