"""X-Ray: its state, the traces it puts together, its API and its daemon."""
