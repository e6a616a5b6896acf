"""What travels between services: the tracing header, and the request it belongs to."""
