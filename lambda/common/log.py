"""Structured logging: one JSON line for each event worth finding later."""

import json


def event(name: str, **fields: object) -> None:
    """Print one JSON object with the event's name first.

    CloudWatch Logs indexes the fields of a JSON line by itself. Fields are identifiers, counts and
    names; never data rows, credentials or signed addresses.
    """
    print(json.dumps({"event": name, **fields}, default=str, ensure_ascii=False), flush=True)
