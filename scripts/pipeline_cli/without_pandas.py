"""Keeps pandas out of a process: pyarrow imports it, where it is installed, as soon as it converts an array.

That took 32 MB and 0.4 s of each service, of which only Spark's driver wants it.
"""

from __future__ import annotations

import sys


class _Refusing:
    """A finder that says of pandas that it is not installed."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name == "pandas":
            raise ModuleNotFoundError("pandas is kept out of this process", name=name)


def without_pandas() -> None:
    """From now on, unless it is imported already."""
    sys.meta_path.insert(0, _Refusing())
