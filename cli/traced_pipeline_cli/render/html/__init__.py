"""The trace page: one HTML file that opens offline."""
