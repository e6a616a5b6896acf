"""CloudWatch: what is changed in MiniStack."""
