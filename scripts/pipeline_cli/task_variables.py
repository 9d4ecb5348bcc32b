"""Values of a script's variables, in a file as `kapacitor define -vars` reads it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pipeline_cli.errors import CommandError


def variables_in(path: Path) -> dict[str, Any]:
    """The JSON object that the file holds; what is in it is looked at by whoever defines the task. Raises CommandError."""
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise CommandError(f"{path} cannot be read: {error}") from None
    if not isinstance(found, dict):
        raise CommandError(f'{path} holds no JSON object, such as {{"limit": {{"type": "int", "value": 5}}}}')
    return found
