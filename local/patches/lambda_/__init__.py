"""Lambda: what is changed in MiniStack."""
