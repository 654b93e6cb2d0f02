"""A Hypothesis strategy for documents that a JSON Schema of this library accepts, drawn from the schema itself."""

from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from wire_strategies import json_values, numbers, plain, words

UNKNOWN = st.dictionaries(st.sampled_from(["futureField", "x-internal", "é", ""]), json_values, max_size=2)


def documents(schema: dict[str, Any], root: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Draw documents of *schema*, a part of *root*, with unknown members."""
    if "$ref" in schema:
        definition = root["$defs"][schema["$ref"].removeprefix("#/$defs/")]
        drawn = documents(definition, root)
        own = schema.get("properties")
        return st.tuples(drawn, _members(schema, root)).map(lambda parts: parts[0] | parts[1]) if own else drawn
    if "anyOf" in schema:
        return st.one_of([documents(one, root) for one in schema["anyOf"]])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    match schema.get("type"):
        case "null":
            return st.none()
        case "boolean":
            return st.booleans()
        case "integer":
            return st.integers(schema.get("minimum"), schema.get("maximum"))
        case "number":
            if "minimum" in schema:
                return st.decimals(schema["minimum"], schema["maximum"], places=3)
            return numbers | st.integers(-(10**6), 10**6)
        case "string":
            if "pattern" in schema:
                return st.from_regex(schema["pattern"].removesuffix("$") + r"\Z")
            low, high = schema.get("minLength", 0), schema.get("maxLength")
            long = st.integers(low, high or 2000).map("x".__mul__)
            short = st.text(st.characters(codec="utf-8"), min_size=low, max_size=min(8, high or 8))
            return short | long
        case "array":
            return st.lists(documents(schema["items"], root), max_size=schema.get("maxItems", 3))
        case "object" if "additionalProperties" in schema:
            pattern = schema.get("propertyNames", {}).get("pattern")
            names = st.from_regex(pattern.removesuffix("$") + r"\Z") if pattern else words
            return st.dictionaries(names, documents(schema["additionalProperties"], root), max_size=3)
        case "object":
            return st.tuples(UNKNOWN, _members(schema, root)).map(lambda parts: parts[0] | parts[1])
        case _:
            return plain | json_values


def _members(schema: dict[str, Any], root: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    required = schema.get("required", [])
    strategies = {name: st.deferred(lambda one=one: documents(one, root)) for name, one in schema["properties"].items()}
    return st.fixed_dictionaries(
        {name: strategies[name] for name in required},
        optional={name: one for name, one in strategies.items() if name not in required},
    )


def numbers_as_schema_has_them(document: Any) -> Any:
    """Return *document* with an integer for each whole decimal, as a JSON parser of exact numbers would have them."""
    if isinstance(document, Decimal):
        return int(document) if document == document.to_integral_value() and document.adjusted() < 30 else document
    if isinstance(document, dict):
        return {name: numbers_as_schema_has_them(member) for name, member in document.items()}
    if isinstance(document, (list, tuple)):
        return [numbers_as_schema_has_them(element) for element in document]
    return document
