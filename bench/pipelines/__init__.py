"""API → function → topic → queue → worker → table, written four ways.

`bench.synth` and `docs/comparison.md` are made from these files.
"""
