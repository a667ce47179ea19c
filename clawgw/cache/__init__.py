"""Answers that are given again: what counts as the same question, what is kept of an answer, and where."""
