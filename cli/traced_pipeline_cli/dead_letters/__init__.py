"""Dead-letter messages: where they wait, why they are there, and the way back to their source queue."""
