"""CloudWatch Logs: what is changed in MiniStack."""
