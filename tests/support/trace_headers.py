"""The kinds of trace headers that a message arrives with, and what has to come of each."""

from __future__ import annotations

from tests.support.lambda_events import SENDER, header, trace_id

ROOT = trace_id(7)

HEADERS: dict[str, tuple[str | None, bool, str]] = {
    "sampled": (header(ROOT), True, "Root={root};Parent={id};Sampled=1"),
    "sampled without parent": (header(ROOT, parent=None), True, "Root={root};Parent={id};Sampled=1"),
    "sampled, odd order": (
        f"Sampled=1; Parent={SENDER}; self=x; ROOT={ROOT};",
        True,
        "Root={root};Parent={id};Sampled=1",
    ),
    "unsampled": (header(ROOT, sampled="0"), False, f"Root={{root}};Parent={SENDER};Sampled=0"),
    "asked": (header(ROOT, sampled="?"), False, "Root={root}"),
    "root only": (header(ROOT, sampled=None, parent=None), False, "Root={root}"),
    "root and lineage": (f"Root={ROOT};Lineage=0123abcd:1", False, "Root={root}"),
    "none": (None, False, "-"),
    "malformed": ("Root=1-2-3;Parent=x;Sampled=1", False, "-"),
    "zero root": (f"Root=1-6b04d6c2-{'0' * 24};Parent={SENDER};Sampled=1", False, "-"),
}
"""By kind: the header, whether the message is recorded, and the header of the calls made for it.

In the last, `{root}` is the message's trace, `{id}` the id of the call's subsegment, and `-` is Lambda's own header.
"""
