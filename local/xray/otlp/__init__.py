"""Spans of OpenTelemetry: read from OTLP, kept as records of `aws/spans`, turned into segment documents."""
