"""What is changed in MiniStack, one module or folder a service."""
