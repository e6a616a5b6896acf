"""The trace map as an SVG."""
