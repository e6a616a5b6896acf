"""What is changed in MiniStack, one module per service."""
