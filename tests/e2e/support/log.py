"""The daemon's log lines as data."""

import json
import re

Record = dict[str, str]

_FIELD = re.compile(r'([a-z_]+)=("(?:[^"\\]|\\.)*"|[^\s"=\\]+)( |$)')


def parse_logfmt(line: str) -> Record:
    """One line of logfmt; strict, so that a stray quote or a bare word is an error."""
    record: Record = {}
    position = 0
    while position < len(line):
        field = _FIELD.match(line, position)
        if field is None:
            raise ValueError(f"no logfmt at column {position + 1}: {line!r}")
        key, value = field[1], field[2]
        if key in record:
            raise ValueError(f"the field {key} stands twice: {line!r}")
        record[key] = json.loads(value) if value.startswith('"') else value
        position = field.end()
    return record


def parse_json(line: str) -> Record:
    """One line of JSON: an object of texts."""
    record = json.loads(line)
    if not all(isinstance(value, str) for value in record.values()):
        raise ValueError(f"a value is no text: {line!r}")
    return record


def matches(record: Record, **fields: str) -> bool:
    """Whether the record has all these fields."""
    return all(record.get(key) == value for key, value in fields.items())
