"""The fields of file formats, from their JSON schemas: a page has a block `{schema} name` in their place."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from building.places import DOCS, literal

_BLOCK = re.compile(r"^```\{schema\} (?P<name>[\w.-]+)\n```$", re.MULTILINE)


def schemas() -> dict[str, Path]:
    """Return the files of all schemas by their names."""
    found = {path.stem: path for path in sorted((DOCS / "reference" / "schemas").glob("*.json"))}
    return found | {"transcripts": DOCS / "transcripts.schema.json"}


def with_schemas(markdown: str) -> str:
    """Return a page with the fields, and the example, of each schema that it names."""
    return _BLOCK.sub(lambda found: described(_read(found["name"])), markdown)


@cache
def _read(name: str) -> Mapping[str, Any]:
    loaded: Mapping[str, Any] = json.loads(schemas()[name].read_text(encoding="utf-8"))
    return loaded


def described(schema: Mapping[str, Any]) -> str:
    """Return a schema in Markdown: its description, an example, and the fields of each kind of object."""
    parts = [schema.get("description", ""), *_example(schema), *_fields(schema)]
    for name, one in schema.get("$defs", {}).items():
        text = one.get("description", "")
        parts += [f"**{name}**" + (f": {text}" if text else ""), *_fields(one)]
    return "\n\n".join(part for part in parts if part)


def _example(schema: Mapping[str, Any]) -> Iterator[str]:
    for one in schema.get("examples", []):
        yield literal(json.dumps(one, indent=1, ensure_ascii=False), "json")


def _fields(schema: Mapping[str, Any]) -> Iterator[str]:
    """Yield an object's fields as definitions, and then those of the objects in it that have no name of their own."""
    properties = schema.get("properties", {})
    for name, one in properties.items():
        absent = "" if name in schema.get("required", ()) else ", may be absent"
        meaning = one.get("description", "")
        yield f"`{name}`: {_kind(one)}{absent}" + (f"\n: {meaning}" if meaning else "")
    for name, one in properties.items():
        if one.get("properties"):
            yield f"**{name}**: {one.get('description', '')}"
            yield from _fields(one)


def _kind(schema: Mapping[str, Any]) -> str:
    """Return the type of a field in words.

    >>> _kind({"type": "array", "items": {"type": ["number", "null"]}})
    'list of number or null'
    """
    if "$ref" in schema:
        return schema["$ref"].rpartition("/")[2]  # type: ignore[no-any-return]
    if "oneOf" in schema:
        return " or ".join(map(_kind, schema["oneOf"]))
    if "items" in schema:
        return f"list of {_kind(schema['items'])}"
    if isinstance(schema.get("additionalProperties"), Mapping):
        return f"{_kind(schema['additionalProperties'])} by name"
    kinds = schema.get("type", "anything")
    return " or ".join([kinds] if isinstance(kinds, str) else kinds)
