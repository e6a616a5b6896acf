"""A program that runs a table of handlers and prints what became of each: bare, beside the SDK, in a message."""
