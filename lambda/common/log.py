"""Structured logging: one JSON line for each event worth finding later."""

import json


def event(name: str, **fields: object) -> None:
    """Print one JSON object with the event's name first.

    CloudWatch Logs indexes the fields of a JSON line by itself. Fields are identifiers, counts and
    names; never data rows, credentials or signed addresses.
    """
    print(visible_json({"event": name, **fields}), flush=True)


def visible_json(document: object, *, indent: int | None = None) -> str:
    """Return a document as JSON in which no character is invisible or acts on a terminal.

    JSON leaves those beyond ASCII as they are: controls, line ends of Unicode, and what turns round
    the text after it. They are escaped, as the format has it.
    """
    text = json.dumps(document, indent=indent, default=str, ensure_ascii=False)
    return "".join(
        character if character.isprintable() or character == "\n" else json.dumps(character)[1:-1]
        for character in text
    )
