#!/usr/bin/env python3
"""schema.py SCHEMA - check JSON documents, one a line on standard input.

Knows the part of JSON Schema 2020-12 that schema/report.schema.json uses, and
refuses a schema with any other word, so that nothing is silently unchecked.
Prints "N documents" or what is wrong, with its place.
"""
import json
import sys

TYPES = {
    "object": dict, "array": list, "string": str, "boolean": bool, "null": type(None),
    "integer": int, "number": (int, float),
}
NOTES = {"$schema", "$id", "title", "description"}
RULES = {"type", "enum", "const", "minimum", "maximum", "required", "properties",
         "additionalProperties", "items"}


def is_type(value, name):
    if isinstance(value, bool):
        return name == "boolean"
    return isinstance(value, TYPES[name])


def check(value, schema, at, out):
    unknown = set(schema) - NOTES - RULES
    if unknown:
        sys.exit(f"schema.py: {at}: this checker does not know {sorted(unknown)}")
    types = schema.get("type", [])
    types = [types] if isinstance(types, str) else types
    if types and not any(is_type(value, t) for t in types):
        out.append(f"{at}: {value!r} is not of type {types}")
        return
    if "enum" in schema and value not in schema["enum"]:
        out.append(f"{at}: {value!r} is not one of {schema['enum']}")
    if "const" in schema and value != schema["const"]:
        out.append(f"{at}: {value!r} is not {schema['const']!r}")
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        if value < schema.get("minimum", value) or value > schema.get("maximum", value):
            out.append(f"{at}: {value!r} is out of bounds")
    if isinstance(value, dict):
        known = schema.get("properties", {})
        more = schema.get("additionalProperties", True)
        for key in schema.get("required", []):
            if key not in value:
                out.append(f"{at}: {key} is missing")
        for key, item in value.items():
            if key in known:
                check(item, known[key], f"{at}.{key}", out)
            elif more is False:
                out.append(f"{at}: {key} does not belong here")
            elif isinstance(more, dict):
                check(item, more, f"{at}.{key}", out)
    if isinstance(value, list) and "items" in schema:
        for i, item in enumerate(value):
            check(item, schema["items"], f"{at}[{i}]", out)


def main():
    with open(sys.argv[1], encoding="utf-8") as f:
        schema = json.load(f)
    out, n = [], 0
    for line in sys.stdin:
        n += 1
        check(json.loads(line), schema, "$", out)
    print("\n".join(out[:20]) if out else f"{n} documents")
    return bool(out)


if __name__ == "__main__":
    sys.exit(main())
