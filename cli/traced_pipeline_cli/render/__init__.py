"""Drawing: terminal, JSON, SVG and HTML."""
