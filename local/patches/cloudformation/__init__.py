"""CloudFormation: what is changed in MiniStack."""
