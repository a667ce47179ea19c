"""clawgw, the OpenClaw Gateway: one OpenAI-compatible door to many LLM providers."""

__version__ = "0.1.0"
