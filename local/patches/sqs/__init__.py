"""SQS: what is changed in MiniStack."""
