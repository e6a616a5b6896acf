"""Filter expressions: their words, what keywords read, and what they compare."""
