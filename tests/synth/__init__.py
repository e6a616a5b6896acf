"""Tests of the constructs, on synthesized templates."""
