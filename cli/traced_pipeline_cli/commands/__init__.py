"""One module a command, and what they share: arguments and output."""
