"""The levels of alerts."""

from __future__ import annotations

LEVELS = ("OK", "INFO", "WARNING", "CRITICAL")
OK, INFO, WARNING, CRITICAL = range(4)
EXPRESSIONS = ("info", "warn", "crit", "infoReset", "warnReset", "critReset")
"""By position: first those that a level is reached by, then those that it may be left by."""
