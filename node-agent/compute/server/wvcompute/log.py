"""Log lines: one JSON object a line on stderr, constant text plus fields."""

from __future__ import annotations

import json
import sys
from typing import Any


def log(level: str, message: str, **fields: Any) -> None:
    """Writes a line. `level` is one of error, warn, info, debug. A closed stderr stops nobody."""
    try:
        sys.stderr.write(json.dumps({"level": level, "message": message, **fields}, default=str) + "\n")
        sys.stderr.flush()
    except (OSError, ValueError):
        pass
