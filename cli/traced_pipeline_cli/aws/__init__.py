"""What is asked of AWS: sessions, stacks, traces, logs, and what could not be read."""
