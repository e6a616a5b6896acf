"""Traces as X-Ray answers them: parsed, put together, and what can be said of them."""
