"""Enough of JSON Schema (draft 2020-12) to validate reports: the keywords that ours uses."""

import json
import re
from pathlib import Path

import clausula

PATH = Path(clausula.__file__).parent / "checker" / "report.schema.json"
SCHEMA = json.loads(PATH.read_text(encoding="utf-8"))
_IGNORED = {"$schema", "$defs", "title", "description"}
_TYPES = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "null": lambda value: value is None,
}


def _type(names, value):
    names = [names] if isinstance(names, str) else names
    return any(_TYPES[name](value) for name in names)


_CHECKS = {
    "type": _type,
    "enum": lambda choices, value: value in choices,
    "pattern": lambda pattern, value: re.search(pattern, value) is not None,
    "minimum": lambda least, value: value is None or value >= least,
    "maximum": lambda most, value: value <= most,
    "required": lambda names, value: set(names) <= set(value),
}


def violations(value, schema=SCHEMA, where="report"):
    """Everything about a value that a schema forbids, in words."""
    found = []
    for keyword, argument in schema.items():
        if keyword == "$ref":
            name = argument.removeprefix("#/$defs/")
            found += violations(value, SCHEMA["$defs"][name], where)
        elif keyword == "properties":
            for name in value.keys() & argument.keys():
                found += violations(value[name], argument[name], f"{where}.{name}")
        elif keyword == "additionalProperties":
            assert argument is False
            more = value.keys() - schema["properties"].keys()
            found += [f"{where}.{name} is unknown" for name in sorted(more)]
        elif keyword == "items":
            for index, item in enumerate(value):
                found += violations(item, argument, f"{where}[{index}]")
        elif keyword not in _IGNORED and not _CHECKS[keyword](argument, value):
            found.append(f"{where}: {value!r} against {keyword} {argument!r}")
    return found
