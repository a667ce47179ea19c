"""The providers' wire formats, sans I/O: checked requests to bytes, bytes to OpenAI's shapes. `codec` has the rules."""
