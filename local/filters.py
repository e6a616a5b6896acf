"""Filter expressions of GetTraceSummaries and of groups.

Source: X-Ray Developer Guide, "Use filter expressions". Here: the boolean, number and string keywords of a trace;
`annotation.key` and `annotation[key]`; `service(name) {…}` and `edge(from, to) {…}` with or without `id(name: …,
type: …)`; `group.name` and `group.arn`; joined by AND (or by nothing), OR, `!` and parentheses. Root causes are not
worked out, so `rootcause.*` and what belongs to it is refused like anything else that is not known, never ignored.
"""

import operator
import re
from collections.abc import Callable

from local.filter_tokens import FilterError, Tokens, Value
from local.filter_views import FLAGS, View, reader
from local.relations import NodeKey, calls, key_of, services
from local.summaries import Summary

Test = Callable[[Summary], bool]
GroupFilter = Callable[[str], str | None]
"""Gives the filter expression of a group by its name or ARN; `None` for an unknown group."""

_ViewTest = Callable[[View], bool]
_KeyTest = Callable[[NodeKey | None], bool]

_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
}
_ANNOTATION = re.compile(r"annotation(?:\.(\w+)|\[[\"']?([^\]\"']+)[\"']?\])", re.IGNORECASE)
_EXPECTED = (
    "service(), edge(), annotation[], group.name, http., responsetime, duration, user, name, type, resource.arn, "
    "fault, error, throttle, ok, partial, inferred or root"
)


def compile_filter(expression: str, groups: GroupFilter = lambda _key: None) -> Test:
    """Make a test of a filter expression; the empty one lets every trace through.

    Args:
        expression: The filter expression.
        groups: Where `group.name` and `group.arn` find a group's expression.

    Raises:
        FilterError: The expression is not one of those understood here.
    """
    if not expression.strip():
        return lambda _summary: True
    test = _Parser(expression, groups).whole()
    return lambda summary: test(View(summary=summary))


class _Parser(Tokens):
    def __init__(self, expression: str, groups: GroupFilter) -> None:
        super().__init__(expression)
        self._groups = groups
        self._braces = 0

    def whole(self) -> _ViewTest:
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
        if self.accept("!"):
            test = self._term()
            return lambda view: not test(view)
        if self.accept("("):
            test = self._alternatives()
            self.expect(")")
            return test
        return self._keyword()

    def _keyword(self) -> _ViewTest:
        kind, word = self.current()
        name = word.lower() if kind == "word" else ""
        complex_words = {"service": self._service, "edge": self._edge}
        if name in complex_words or name in ("group.name", "group.arn") or _ANNOTATION.fullmatch(name):
            if self._braces:
                raise self.error("a keyword of a segment; services, edges, groups and annotations belong outside { }")
            self.step()
            if name in complex_words:
                return complex_words[name]()
            return self._annotation(word) if name.startswith("annotation") else self._group()
        if name in FLAGS:
            self.step()
            return self._flag(name)
        if read := reader(name):
            self.step()
            return self._compared(read)
        raise self.error(_EXPECTED)

    def _annotation(self, word: str) -> _ViewTest:
        match = _ANNOTATION.fullmatch(word)
        key = (match[1] or match[2]) if match else ""
        return self._compared(lambda view: [value for value, _ in view.summary.annotations.get(key, [])])

    def _group(self) -> _ViewTest:
        sign = self.peek()
        if sign not in ("=", "!="):
            raise self.error("= or !=")
        self.step()
        key = str(self.value())
        expression = self._groups(key)
        if expression is None:
            raise FilterError(f"Invalid filter expression {self.expression!r}: there is no group {key!r}")
        # A group is not looked for within a group's own expression, so none can lead back to itself.
        test = compile_filter(expression)
        return lambda view: test(view.summary) is (sign == "=")

    def _service(self) -> _ViewTest:
        (is_service,) = self._nodes(1)
        inner = self._inner()
        return lambda view: any(
            is_service(key_of(segment)) and inner(View(summary=view.summary, entity=segment))
            for segment in services(view.summary.segments)
        )

    def _edge(self) -> _ViewTest:
        is_source, is_target = self._nodes(2)
        inner = self._inner()
        return lambda view: any(
            call.caller is not None
            and is_source(call.caller)
            and is_target(call.called)
            and inner(View(summary=view.summary, entity=call.request or call.segment))
            for call in calls(view.summary.segments)
        )

    def _nodes(self, count: int) -> list[_KeyTest]:
        self.expect("(")
        tests: list[_KeyTest] = []
        while self.peek() != ")":
            if tests:
                self.expect(",")
            tests.append(self._node())
        self.expect(")")
        # "You can exclude the service name to apply a filter expression to all nodes."
        if len(tests) not in (0, count):
            raise FilterError(f"Invalid filter expression {self.expression!r}: {count} names or none are expected")
        return tests or [lambda _key: True] * count

    def _node(self) -> _KeyTest:
        if self.peek().lower() != "id":
            name = self.value()
            return lambda key: key is not None and key.name == name
        self.step()
        self.expect("(")
        wanted: dict[str, Value] = {}
        while self.peek() != ")":
            if wanted:
                self.expect(",")
            field = self.peek().lower()
            if field not in ("name", "type"):
                raise self.error("name or type")
            self.step()
            self.expect(":")
            wanted[field] = self.value()
        self.expect(")")
        return lambda key: (
            key is not None and wanted.get("name", key.name) == key.name and wanted.get("type", key.type) == key.type
        )

    def _inner(self) -> _ViewTest:
        if not self.accept("{"):
            return lambda _view: True
        self._braces += 1
        test = self._alternatives()
        self._braces -= 1
        self.expect("}")
        return test

    def _flag(self, name: str) -> _ViewTest:
        sign = self.peek()
        wanted = True
        if sign in ("=", "!="):
            self.step()
            wanted = self.value() is (sign == "=")
        return lambda view: view.flags[name] is wanted

    def _compared(self, read: Callable[[View], list[Value]]) -> _ViewTest:
        sign = self.peek().upper()
        if sign in ("CONTAINS", "BEGINSWITH", "ENDSWITH"):
            self.step()
            text = str(self.value())
            tests: dict[str, Callable[[str], bool]] = {
                "CONTAINS": lambda value: text in value,
                "BEGINSWITH": lambda value: value.startswith(text),
                "ENDSWITH": lambda value: value.endswith(text),
            }
            return lambda view: any(tests[sign](str(value)) for value in read(view))
        if sign not in _COMPARISONS:
            return lambda view: any(value is not False for value in read(view))
        self.step()
        wanted = self.value()
        return lambda view: any(_compare(sign, value, wanted) for value in read(view))


def _compare(sign: str, value: Value, wanted: Value) -> bool:
    if isinstance(wanted, float) and isinstance(value, int | float) and not isinstance(value, bool):
        return _COMPARISONS[sign](float(value), wanted)
    if sign == "!=":
        return value != wanted
    return sign == "=" and value == wanted
