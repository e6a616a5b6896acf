"""The trace header, read and written."""

import pytest
from aws_xray_sdk.core.models.trace_header import TraceHeader as SdkHeader
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry import trace
from opentelemetry.propagators.aws import AwsXRayPropagator
from trace_bridge import TraceHeader

ROOT = "1-6b04d6c2-0123456789abcdef01234567"
PARENT = "53995c3f42cd8ad8"

hexadecimal = st.sampled_from("0123456789abcdef")
roots = st.builds(
    "1-{}-{}".format, st.text(hexadecimal, min_size=8, max_size=8), st.text(hexadecimal, min_size=24, max_size=24)
).filter(lambda root: not root.endswith("0" * 24))
parents = st.text(hexadecimal, min_size=16, max_size=16).filter(lambda parent: parent != "0" * 16)
headers = st.builds(
    TraceHeader,
    root=roots,
    parent=st.none() | parents,
    sampled=st.none() | st.booleans(),
    lineage=st.none() | st.from_regex(r"[0-9a-f]{8}:[0-9]", fullmatch=True),
)


@given(headers)
def test_what_was_written_is_read_again(header: TraceHeader) -> None:
    assert TraceHeader.parse(header.format()) == header


@given(headers, st.randoms(use_true_random=False))
def test_order_case_spaces_and_unknown_keys_do_not_matter(header: TraceHeader, random: object) -> None:
    parts = [*header.format().split(";"), "Self=1-67891234-12456789abcdef012345678", "Foo=a=b"]
    random.shuffle(parts)  # type: ignore[attr-defined]
    text = " ; ".join(f" {part.partition('=')[0].upper()} = {part.partition('=')[2]}" for part in parts) + ";"
    assert TraceHeader.parse(text) == header


@given(st.text() | st.binary() | st.none() | st.integers())
def test_nothing_makes_it_raise(text: object) -> None:
    TraceHeader.parse(text)


@given(st.text("RootPaenSmpld=;1-0abcf? ", max_size=120))
def test_what_is_read_is_valid(text: str) -> None:
    parsed = TraceHeader.parse(text)
    if parsed is not None:
        assert TraceHeader.parse(parsed.format()) == parsed


@given(roots, parents, st.booleans())
def test_it_agrees_with_opentelemetry(root: str, parent: str, sampled: bool) -> None:
    text = TraceHeader(root=root, parent=parent, sampled=sampled).format()
    context = AwsXRayPropagator().extract({"X-Amzn-Trace-Id": text})
    span = trace.get_current_span(context).get_span_context()
    assert span.is_valid
    assert f"{span.trace_id:032x}" == root[2:10] + root[11:]
    assert f"{span.span_id:016x}" == parent
    assert span.trace_flags.sampled == sampled


@given(headers)
def test_it_agrees_with_the_xray_sdk(header: TraceHeader) -> None:
    theirs = SdkHeader.from_header_str(header.format())
    assert (theirs.root, theirs.parent) == (header.root, header.parent)
    assert theirs.sampled == (None if header.sampled is None else int(header.sampled))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        "Root=",
        "Root=1-6b04d6c2-0123",
        "Root=2-6b04d6c2-0123456789abcdef01234567",
        f"Root=1-6b04d6c2-{'0' * 24};Parent={PARENT};Sampled=1",
        f"Parent={PARENT};Sampled=1",
        "Root=1-6b04d6cz-0123456789abcdef01234567;Sampled=1",
        f"Root={ROOT};Parent={PARENT};Sampled=1" + ";x=" + "y" * 5000,
        None,
        42,
    ],
)
def test_no_valid_root_is_no_header(text: object) -> None:
    assert TraceHeader.parse(text) is None


@pytest.mark.parametrize("parent", ["", "123", "0" * 16, "g" * 16])
def test_a_parent_that_is_none_is_left_out(parent: str) -> None:
    assert TraceHeader.parse(f"Root={ROOT};Parent={parent};Sampled=1") == TraceHeader(root=ROOT, sampled=True)


@pytest.mark.parametrize("sampled", ["?", "", "2", "true", "01"])
def test_anything_but_0_and_1_is_undecided(sampled: str) -> None:
    parsed = TraceHeader.parse(f"Root={ROOT};Parent={PARENT};Sampled={sampled}")
    assert parsed is not None
    assert parsed.sampled is None


def test_upper_case_ids_are_read_in_lower_case() -> None:
    parsed = TraceHeader.parse(f"Root={ROOT.upper()};Parent={PARENT.upper()};Sampled=1")
    assert parsed == TraceHeader(root=ROOT, parent=PARENT, sampled=True)
