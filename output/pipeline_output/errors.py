"""What can go wrong in the stores.

OutputError
├── BadStoreUrl        a store URL of no known form, or with a parameter that it does not take
├── UnknownTable       a name that no declaration has
├── TableMissing       a declared table that this store was never asked to create
├── TableDiffers       a table that was created from another declaration
├── BadRows            rows that do not fit the table; nothing of the call was written
└── StoreUnavailable   the store does not answer; what was being written may or may not be there, write it again
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class OutputError(Exception):
    """Anything the stores refuse or cannot do."""


class BadStoreUrl(OutputError):
    def __init__(self, url: str, *, because: str = "it has no known form") -> None:
        super().__init__(
            f"`{url}` is not a store URL: {because}; use `disk:///absolute/folder`, `sqlite:///absolute/file` "
            "or `cassandra://host:port[,host:port]/keyspace[?ttl_s=604800]`"
        )


class UnknownTable(OutputError):
    def __init__(self, name: str, *, known: Iterable[str]) -> None:
        names = sorted(known)
        near = difflib.get_close_matches(name, names, n=1)
        hint = f"; did you mean `{near[0]}`?" if near else f"; there are {', '.join(names) or 'none'}"
        super().__init__(f"no table is called `{name}`{hint}")


class TableMissing(OutputError):
    def __init__(self, table: str, *, url: str) -> None:
        super().__init__(f"the store at `{url}` has no table `{table}`; run `pipeline tables create`")


class TableDiffers(OutputError):
    def __init__(self, table: str, *, url: str, found: object, declared: object) -> None:
        super().__init__(
            f"the table `{table}` at `{url}` was created with {found}, but is declared with {declared}; "
            "move the old data away, then run `pipeline tables create`"
        )


class BadRows(OutputError):
    def __init__(self, table: str, *, because: str) -> None:
        super().__init__(f"these rows do not fit `{table}`: {because}; none of them was written")


class StoreUnavailable(OutputError):
    def __init__(self, url: str, *, doing: str, cause: object) -> None:
        super().__init__(f"the store at `{url}` did not answer while {doing}: {cause}; check that it runs, then repeat")
