"""CloudWatch Logs Insights: queries in its own query language, run on log events.

Source: CloudWatch Logs User Guide, "CloudWatch Logs Insights language query syntax" and "Supported logs and discovered
fields". What is not understood here is refused as a malformed query, never ignored.
"""
