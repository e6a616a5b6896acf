"""Filter expressions of GetTraceSummaries and of groups.

Source: X-Ray Developer Guide, "Use filter expressions". Here: the boolean, number and string keywords of a trace;
`annotation.key` and `annotation[key]`; `service(name) {…}` and `edge(from, to) {…}` with or without `id(name: …,
type: …, account.id: …)`; `group.name` and `group.arn`; `rootcause.*`; joined by AND (or by nothing), OR, `!` and
parentheses. Anything else is refused, never ignored.
"""

import json
import re
from collections.abc import Callable

from local.xray.calls import Call, NodeKey, account_of, calls, key_of, services
from local.xray.document_tree import Document
from local.xray.filters import root_causes
from local.xray.filters.comparisons import Kind, flag, read_comparison, text
from local.xray.filters.keywords import FLAGS, View, kind_of, reader
from local.xray.filters.tokens import FilterError, Tokens, Value
from local.xray.summaries import Summary

Test = Callable[[Summary], bool]
GroupFilter = Callable[[str], str | None]
"""Gives the filter expression of a group by its name or ARN; `None` for an unknown group."""

ServiceTest = Callable[[Summary, Document], bool]
"""Tells whether a segment of a trace is one of the service asked for."""

CallTest = Callable[[Summary, Call], bool]
"""Tells whether a call of a trace is one of the edge asked for."""

_ViewTest = Callable[[View], bool]
NodeTest = Callable[[NodeKey, str | None], bool]
"""Tells whether a node, given with its account, is the one asked for."""

_Keyword = Callable[[], _ViewTest]

_ANNOTATION = re.compile(r"annotation(?:\.(\w+)|\[[\"']?([^\]\"']+)[\"']?\])", re.IGNORECASE)
# Assumed: no more than a reader can follow, and none that would break whoever is answered with it.
_MAX_DEPTH = 50
_EXPECTED = (
    "service(), edge(), annotation[], group.name, rootcause., http., responsetime, duration, user, name, type, "
    "resource.arn, fault, error, throttle, ok, partial, inferred or root"
)
_EXPECTED_OF_CAUSE = "name, type, message, account.id, index, coverage, first, last, remote or inferred"


def compile_filter(expression: str, groups: GroupFilter = lambda _key: None) -> Test:
    """Makes a test of a filter expression; the empty one lets every trace through.

    Args:
        expression: The filter expression.
        groups: Where `group.name` and `group.arn` find a group's expression.

    Raises:
        FilterError: The expression is not one of those understood here.
    """
    if not expression.strip():
        return lambda _summary: True
    test = Parser(expression, groups).whole()
    return lambda summary: test(View(summary=summary))


class Parser(Tokens):
    """Reads a filter expression, or a part of one."""

    def __init__(self, expression: str, groups: GroupFilter = lambda _key: None) -> None:
        super().__init__(expression)
        self._groups = groups
        self._keyword: _Keyword = self._of_trace
        self._depth = 0

    def whole(self) -> _ViewTest:
        """Reads an expression up to its end."""
        test = self._alternatives()
        if self.peek():
            raise self.error("AND, OR or the end")
        return test

    def _alternatives(self) -> _ViewTest:
        tests = [self._conjunction()]
        while self.peek().upper() == "OR":
            self.step()
            tests.append(self._conjunction())
        return lambda view: any(test(view) for test in tests)

    def _conjunction(self) -> _ViewTest:
        tests = [self._term()]
        while True:
            word = self.peek()
            if word.upper() == "AND":
                self.step()
            elif word in ("", ")", "}") or word.upper() == "OR":
                return lambda view: all(test(view) for test in tests)
            # "ok !partial duration <3": terms side by side are joined by AND.
            tests.append(self._term())

    def _term(self) -> _ViewTest:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise self.error(f"at most {_MAX_DEPTH} terms within each other")
        test = self._inner_term()
        self._depth -= 1
        return test

    def _inner_term(self) -> _ViewTest:
        if self.accept("!"):
            test = self._term()
            return lambda view: not test(view)
        if self.accept("("):
            test = self._alternatives()
            self.expect(")")
            return test
        return self._keyword()

    def _word(self) -> str:
        kind, word = self.current()
        return word if kind == "word" else ""

    def _of_trace(self) -> _ViewTest:
        word = self._word()
        complex_words: dict[str, _Keyword] = {
            "service": self._service,
            "edge": self._edge,
            "group.name": self._group,
            "group.arn": self._group,
            root_causes.JSON: self._cause_json,
        }
        if (keyword := complex_words.get(word.lower())) is not None:
            self.step()
            return keyword()
        if match := root_causes.CAUSE.fullmatch(word):
            self.step()
            return self._cause(match[1], match[2])
        if match := _ANNOTATION.fullmatch(word):
            self.step()
            key = match[1] or match[2]
            return self._compared(
                lambda view: [value for value, _ in view.summary.annotations.get(key, [])], kind="any"
            )
        return self._simple(_EXPECTED)

    def _of_segment(self) -> _ViewTest:
        name = self._word().lower()
        complex_word = name in ("service", "edge", "group.name", "group.arn") or name.startswith("rootcause.")
        if complex_word or _ANNOTATION.fullmatch(name):
            raise self.error("a keyword of a segment; services, edges, groups and annotations belong outside { }")
        return self._simple(_EXPECTED)

    def _simple(self, expected: str) -> _ViewTest:
        name = self._word().lower()
        if name in FLAGS:
            self.step()
            wanted = flag(self)
            return lambda view: view.flags[name] is wanted
        if read := reader(name):
            self.step()
            return self._compared(read, kind=kind_of(name))
        raise self.error(expected)

    def _of_cause(self) -> _ViewTest:
        name = self._word().lower()
        if name in root_causes.FLAGS:
            self.step()
            wanted = flag(self)
            return lambda view: bool(view.item.get(name)) is wanted
        if name in root_causes.KINDS:
            self.step()
            return self._compared(
                lambda view: [view.item[name]] if name in view.item else [], kind=root_causes.KINDS[name]
            )
        raise self.error(_EXPECTED_OF_CAUSE)

    def _group(self) -> _ViewTest:
        sign = self.peek()
        if sign not in ("=", "!="):
            raise self.error("= or !=")
        self.step()
        key = text(self)
        expression = self._groups(key)
        if expression is None:
            raise FilterError(f"Invalid filter expression {self.expression!r}: there is no group {key!r}")
        # A group is not looked for within a group's own expression, so none can lead back to itself.
        test = compile_filter(expression)
        return lambda view: test(view.summary) is (sign == "=")

    def _cause(self, kind: str, part: str) -> _ViewTest:
        inner = self._braces(self._of_cause)
        return lambda view: any(
            inner(View(summary=view.summary, item=item))
            for items in root_causes.lists(view.summary, kind, part)
            for item in items
        )

    def _cause_json(self) -> _ViewTest:
        self.expect("=")
        kind, written = self.current()
        try:
            wanted = json.loads(written) if kind == "json" else None
        except (ValueError, RecursionError) as problem:
            raise FilterError(f"Invalid filter expression {self.expression!r}: {problem}") from None
        if wanted is None:
            raise self.error("#[{ … }]")
        self.step()
        return lambda view: root_causes.matches(view.summary, wanted)

    def _service(self) -> _ViewTest:
        takes = self.service()
        return lambda view: any(takes(view.summary, segment) for segment in services(view.summary.segments))

    def service(self) -> ServiceTest:
        """Reads what follows the word `service`."""
        (is_service,) = self._nodes(1)
        inner = self._braces(self._of_segment)
        return lambda summary, segment: (
            is_service(key_of(segment), account_of(segment)) and inner(View(summary=summary, entity=segment))
        )

    def _edge(self) -> _ViewTest:
        takes = self.edge()
        return lambda view: any(takes(view.summary, call) for call in calls(view.summary.segments))

    def edge(self) -> CallTest:
        """Reads what follows the word `edge`."""
        is_source, is_target = self._nodes(2)
        inner = self._braces(self._of_segment)
        return lambda summary, call: (
            call.caller is not None
            and is_source(call.caller, call.caller_account)
            and is_target(call.called, account_of(call.segment))
            and inner(View(summary=summary, entity=call.request or call.segment))
        )

    def _nodes(self, count: int) -> list[NodeTest]:
        self.expect("(")
        tests: list[NodeTest] = []
        while self.peek() != ")":
            if tests:
                self.expect(",")
            tests.append(self.node())
        self.expect(")")
        # "You can exclude the service name to apply a filter expression to all nodes."
        if len(tests) not in (0, count):
            raise FilterError(f"Invalid filter expression {self.expression!r}: {count} names or none are expected")
        return tests or [lambda _key, _account: True] * count

    def node(self) -> NodeTest:
        """Reads a name, or `id(…)`."""
        if self.current() != ("word", "id"):
            name = text(self)
            return lambda key, _account: key.name == name
        self.step()
        self.expect("(")
        wanted: dict[str, str] = {}
        while self.peek() != ")":
            if wanted:
                self.expect(",")
            field = self._word().lower()
            if field not in ("name", "type", "account.id"):
                raise self.error("name, type or account.id")
            self.step()
            self.expect(":")
            wanted[field] = text(self)
        self.expect(")")
        return lambda key, account: (
            wanted.get("name", key.name) == key.name
            and wanted.get("type", key.type) == key.type
            and wanted.get("account.id", account) == account
        )

    def _braces(self, keyword: _Keyword) -> _ViewTest:
        if not self.accept("{"):
            return lambda _view: True
        outside, self._keyword = self._keyword, keyword
        test = self._alternatives()
        self._keyword = outside
        self.expect("}")
        return test

    def _compared(self, read: Callable[[View], list[Value]], *, kind: Kind) -> _ViewTest:
        comparison = read_comparison(self, kind)
        if comparison is None:
            # "The expression is true if the keyword is set. If the keyword is of boolean type, it will evaluate to the
            # boolean value."
            return lambda view: any(value is not False for value in read(view))
        return lambda view: any(comparison(value) for value in read(view))
