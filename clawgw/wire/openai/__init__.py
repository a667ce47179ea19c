"""OpenAI's Chat Completions and what is shaped like it: one codec, and a table of dialects."""
