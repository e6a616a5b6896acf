"""Runs the pipeline on this machine: the local AWS as a child process, the real CDK CLI, a closed environment."""
