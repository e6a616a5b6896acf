"""API Gateway, REST APIs: what is changed in MiniStack."""
