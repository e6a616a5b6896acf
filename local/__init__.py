"""The local AWS: MiniStack, started in this process, with the X-Ray it lacks."""
