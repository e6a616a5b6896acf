"""Benchmarks: what the bridge costs, beside what it is compared with, in one run."""
