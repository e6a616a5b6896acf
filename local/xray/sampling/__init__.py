"""Sampling: who decides, once, whether a request is traced."""
