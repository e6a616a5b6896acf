"""Annotations, metadata, user and SQL of a span's document, by the rules of the collector's AWS X-Ray exporter.

https://github.com/open-telemetry/opentelemetry-collector-contrib/blob/main/exporter/awsxrayexporter/internal/translator/segment.go
"""

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Literal

from .._annotations import checked_annotation
from .._document import MAX_TEXT
from ._values import plain, text_of

Annotations = Collection[str] | Literal["all"]
"""Names of the attributes that become annotations; `all` for every one."""

_LISTED = "aws.xray.annotations"
"""The attribute in which a span names its own annotations."""

_METADATA = "aws.xray.metadata."
_RESOURCE = "otel.resource."
_DEFAULT = "default"
_SQL_SYSTEMS = frozenset(
    {
        "db2",
        "derby",
        "hive",
        "ibm.db2",
        "mariadb",
        "microsoft.sql_server",
        "mssql",
        "mysql",
        "oracle",
        "oracle.db",
        "other_sql",
        "postgresql",
        "sqlite",
        "teradata",
    }
)
_SQL = {
    "db.system.name": "database_type",
    "db.system": "database_type",
    "db.user": "user",
    "db.query.text": "sanitized_query",
    "db.statement": "sanitized_query",
}
_SQL_READ_HERE = (*_SQL, "db.connection_string", "db.namespace", "db.name")


def take_sql(attributes: dict[str, Any], span_name: str) -> dict[str, object] | None:
    """Takes what describes a query of an SQL database out of a span's attributes.

    Args:
        attributes: The attributes that no block has taken yet.
        span_name: The span's name, which stands for the URL.

    Returns:
        The block; None where the span is no such query.
    """
    if (attributes.get("db.system.name") or attributes.get("db.system")) not in _SQL_SYSTEMS:
        return None
    taken = {key: text_of(attributes.pop(key)) for key in _SQL_READ_HERE if key in attributes}
    place = taken.get("db.connection_string") or "localhost"
    database = taken.get("db.namespace") or taken.get("db.name", "")
    block: dict[str, object] = {"url": span_name, "connection_string": f"{place}/{database}"}
    for key, field in _SQL.items():
        if taken.get(key):
            block.setdefault(field, taken[key])
    return block


def take_user(attributes: dict[str, Any]) -> str:
    """Takes the user out of a span's attributes; empty where there is none."""
    return text_of(attributes.pop("enduser.id", None))[:MAX_TEXT]


def take_annotations(
    attributes: dict[str, Any], resource: dict[str, Any], everything: Mapping[str, Any], wanted: Annotations
) -> dict[str, object]:
    """Takes the annotations out of the attributes of a span and its resource.

    Args:
        attributes: The span's attributes that no block has taken yet.
        resource: The resource's attributes, as `resource_fields` gives them; empty for a subsegment.
        everything: All the span's attributes: one that a block has taken is an annotation as well if it is asked for
            by name.
        wanted: Which become annotations, besides those that the span itself lists in `aws.xray.annotations`.

    Returns:
        The annotations, by keys that X-Ray takes.
    """
    listed = attributes.pop(_LISTED, ())
    names = {name for name in listed if isinstance(name, str)} if isinstance(listed, list | tuple) else set()
    names |= attributes.keys() | resource.keys() if wanted == "all" else set(wanted)
    annotations: dict[str, object] = {}
    for name in sorted(names):
        value = everything.get(name, resource.get(name))
        if isinstance(value, str | int | float):
            checked = checked_annotation(_key(name), value)
            if checked is not None:
                annotations[_key(name)] = checked
            attributes.pop(name, None)
            resource.pop(name, None)
    return annotations


def metadata_of(attributes: Mapping[str, Any], resource: Mapping[str, Any]) -> dict[str, dict[str, object]]:
    """Returns the metadata: what is left of a span's attributes, by namespaces.

    Args:
        attributes: The attributes that no block has taken.
        resource: Likewise of the resource.
    """
    metadata: dict[str, dict[str, object]] = {}
    for key, value in (*resource.items(), *attributes.items()):
        for namespace, name, held in _placed(key, value):
            metadata.setdefault(namespace, {})[name] = held
    return metadata


def resource_fields(resource: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a resource's attributes by the names they have in a document."""
    return {f"{_RESOURCE}{key}": value for key, value in resource.items()}


def _placed(key: str, value: object) -> Iterator[tuple[str, str, object]]:
    """Yields namespace, name and value of an attribute; several for one that holds a namespace as JSON."""
    if key.startswith(_METADATA) and isinstance(value, str):
        try:
            namespace = json.loads(value)
        except ValueError:
            namespace = None
        if isinstance(namespace, dict):
            name = key.removeprefix(_METADATA)
            name = _DEFAULT if name.lower() == _DEFAULT else name
            yield from ((name, inner, held) for inner, held in namespace.items())
            return
    if value is not None:
        yield _DEFAULT, key, plain(value)


def _key(name: str) -> str:
    """Returns a key that X-Ray takes: whatever is no letter, digit or `_` becomes `_`.

    https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html#api-segmentdocuments-annotations
    """
    return "".join(character if character.isascii() and character.isalnum() else "_" for character in name)
