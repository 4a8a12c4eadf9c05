"""The part of JSON Schema that this project's schemas use: checks a value, and refuses keywords it does not know."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "number": (int, float),
    "integer": int,
    "null": type(None),
}
_SAID = {"$schema", "$defs", "title", "description", "examples"}
_KNOWN = {
    "type", "properties", "required", "additionalProperties", "items", "minItems", "maxItems", "minimum", "maximum",
    "oneOf", "$ref",
}  # fmt: skip


def faults(value: Any, schema: Mapping[str, Any], root: Mapping[str, Any] | None = None, at: str = "$") -> list[str]:
    """Return what is wrong with a value, by its place in it; nothing where it fits the schema.

    Raises:
        ValueError: a keyword that is not known here.
    """
    root = schema if root is None else root
    if unknown := schema.keys() - _SAID - _KNOWN:
        raise ValueError(f"keywords that are not checked: {', '.join(sorted(unknown))}")
    if "$ref" in schema:
        return faults(value, root["$defs"][schema["$ref"].removeprefix("#/$defs/")], root, at)
    if "oneOf" in schema:
        tried = [faults(value, one, root, at) for one in schema["oneOf"]]
        fitting = sum(not found for found in tried)
        return [] if fitting == 1 else [f"{at}: fits {fitting} of {len(tried)}: {tried}"]
    if "type" in schema and not _is(value, schema["type"]):
        return [f"{at}: {value!r} is no {schema['type']}"]
    return [*_of_object(value, schema, root, at), *_of_array(value, schema, root, at), *_of_number(value, schema, at)]


def _is(value: Any, names: str | list[str]) -> bool:
    if isinstance(value, bool):
        return "boolean" in names
    return any(isinstance(value, _TYPES[name]) for name in ([names] if isinstance(names, str) else names))


def _of_object(value: Any, schema: Mapping[str, Any], root: Mapping[str, Any], at: str) -> Iterator[str]:
    if isinstance(value, dict):
        properties = schema.get("properties", {})
        yield from (f"{at}: lacks {name}" for name in schema.get("required", []) if name not in value)
        for name, one in value.items():
            if name in properties:
                yield from faults(one, properties[name], root, f"{at}.{name}")
            elif isinstance(more := schema.get("additionalProperties", True), dict):
                yield from faults(one, more, root, f"{at}.{name}")
            elif not more:
                yield f"{at}: has {name}"


def _of_array(value: Any, schema: Mapping[str, Any], root: Mapping[str, Any], at: str) -> Iterator[str]:
    if isinstance(value, list):
        if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
            yield f"{at}: has {len(value)} items"
        for number, one in enumerate(value):
            yield from faults(one, schema.get("items", {}), root, f"{at}[{number}]")


def _of_number(value: Any, schema: Mapping[str, Any], at: str) -> Iterator[str]:
    if isinstance(value, (int, float)) and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        yield f"{at}: {value} is out of range"
