"""The operations of X-Ray's API: each is answered here."""
