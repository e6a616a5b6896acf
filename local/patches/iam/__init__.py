"""IAM: what is changed in MiniStack."""
