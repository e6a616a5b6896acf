"""Tables of arguments, fields and members, made from signatures and docstrings."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
import textwrap
from collections.abc import Callable, Iterator
from typing import Any

import traced_pipeline
from traced_pipeline import container_options, ingest_options, worker_options

from tests.support.documented_metrics import DOCUMENTED, METRICS

_ENTRY = re.compile(r"^ {4}(\w+): (.*?)(?=^ {4}\w+: |\Z)", re.MULTILINE | re.DOTALL)
_URL = re.compile(r"https://\S+")
_ALIASES = {
    node.target.id: ast.unparse(node.value)
    for module in (container_options, ingest_options, worker_options)
    for node in ast.parse(inspect.getsource(module)).body
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value
}
_DEFAULT = re.compile(r"Default: (.*?)\.(?= |$)")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Entry:
    """One argument, or one field."""

    name: str
    takes: str
    meaning: str
    default: str


def entries(item: type) -> list[Entry]:
    """The fields of a dataclass, those it inherits left to its base; the arguments of any other class."""
    if dataclasses.is_dataclass(item):
        required = {f.name for f in dataclasses.fields(item) if f.default is dataclasses.MISSING}
        own = {name: str(kind) for name, kind in item.__annotations__.items() if not str(kind).startswith("ClassVar")}
        return list(_described(item.__doc__, "Attributes", own, required))
    return arguments(constructor(item), item.__doc__)


def constructor(item: type) -> Callable[..., Any]:
    """The function that a call of the class ends in."""
    found: Callable[..., Any] = vars(item)["__init__"]
    return found


def arguments(function: Callable[..., Any], docstring: str | None = None) -> list[Entry]:
    """The arguments of a function; of a constructor the class's docstring tells."""
    parameters = {name: p for name, p in inspect.signature(function).parameters.items() if name not in {"self", "cls"}}
    required = {name for name, p in parameters.items() if p.default is inspect.Parameter.empty}
    kinds = {name: str(p.annotation) for name, p in parameters.items()}
    return list(_described(docstring or function.__doc__, "Args", kinds, required))


def members(item: type) -> list[tuple[str, str]]:
    """A class's properties and methods, and the first sentences of their docstrings; metrics have their own table."""
    found = []
    for name, member in public_members(item).items():
        function = getattr(member, "__func__", member)
        if name.startswith("metric_") or not (inspect.isfunction(function) or isinstance(member, property)):
            continue
        call = f"({', '.join(e.name for e in arguments(function))})" if inspect.isfunction(function) else ""
        found.append((f"{name}{call}", first_sentence(member)))
    return found


def public_members(item: type) -> dict[str, object]:
    """What a class has, from its own bases in the library too."""
    classes = [base for base in item.__mro__ if base.__module__.startswith("traced_pipeline.")]
    return {
        name: next(vars(c)[name] for c in classes if name in vars(c))
        for base in classes
        for name in vars(base)
        if not name.startswith("_")
    }


def first_sentence(member: object) -> str:
    """What a docstring begins with."""
    return " ".join((inspect.getdoc(member) or "").split("\n\n")[0].split())


def table(item: type) -> str:
    """The table for a class."""
    found = entries(item)
    head = "field" if dataclasses.is_dataclass(item) else "argument"
    rows = [f"| `{e.name}` | {e.takes} | {e.meaning} | {e.default} |" for e in found]
    return "\n".join([f"| {head} | takes | meaning | default |", "|---|---|---|---|", *rows]) + "\n"


def members_table(item: type) -> str:
    """The table of what a class gives back."""
    rows = [f"| `{name}` | {text} |" for name, text in members(item)]
    return "\n".join(["| gives | |", "|---|---|", *rows]) + "\n"


def metrics_table() -> str:
    """The table of the `metric_*` methods of all blocks."""
    blocks: dict[str, list[str]] = {}
    for block, methods in METRICS.items():
        for method in methods:
            blocks.setdefault(method, []).append(block)
    rows = []
    for method, of in blocks.items():
        # A pipeline's methods are those of its blocks, which say more.
        meaning = first_sentence(getattr(getattr(traced_pipeline, of[-1]), method))
        namespace, name, statistic, _ = METRICS[of[-1]][method]
        metric = f"[`{namespace}` `{name}`]({DOCUMENTED[namespace, name][1]}), `{statistic}`"
        rows.append(f"| `{method}()` | {', '.join(f'`{one}`' for one in of)} | {meaning} | {metric} |")
    head = ["| method | of | meaning | CloudWatch's metric, statistic by default |", "|---|---|---|---|"]
    return "\n".join([*head, *rows]) + "\n"


def _described(docstring: str | None, part: str, kinds: dict[str, str], required: set[str]) -> Iterator[Entry]:
    texts = _texts(docstring or "", part)
    for name, kind in kinds.items():
        text = texts.get(name, "")
        default = _DEFAULT.search(text)
        meaning = " ".join(_DEFAULT.sub("", text).split())
        source = _URL.search(meaning)
        if source:
            meaning = f"{_URL.sub('', meaning).strip()} ([AWS]({source[0]}))"
        yield Entry(
            name=name,
            takes=_kind(kind),
            meaning=meaning.replace("|", r"\|"),
            default="required" if name in required else default[1] if default else "",
        )


def _texts(docstring: str, part: str) -> dict[str, str]:
    section = re.search(rf"^{part}:\n(.*?)(?=^\w+:\n|\Z)", inspect.cleandoc(docstring), re.MULTILINE | re.DOTALL)
    if section is None:
        return {}
    return {name: " ".join(textwrap.dedent(text).split()) for name, text in _ENTRY.findall(section[1])}


def _kind(annotation: str) -> str:
    # A bar within brackets belongs to what it stands in.
    parts = [part.strip() for part in re.split(r"\|(?![^\[]*\])", annotation)]
    return " or ".join(f"`{shown}`" for part in parts if part != "None" for shown in _spelt_out(part))


def _spelt_out(part: str) -> list[str]:
    """A name that only this library knows, or a choice of texts, as what a caller writes."""
    if part in _ALIASES:
        return [shown for alias in _ALIASES[part].split(" | ") for shown in _spelt_out(alias)]
    choice = re.fullmatch(r"Literal\[(.*)\]", part)
    if choice:
        return [text.strip().replace("'", '"') for text in choice[1].split(",")]
    return [part.replace("|", "or")]
