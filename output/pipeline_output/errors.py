"""What can go wrong in the stores.

OutputError
├── BadStoreUrl        a store URL of no known form, or with a parameter that it does not take
├── UnknownTable       a name that no declaration has
├── TableMissing       a declared table that this store was never asked to create
├── TableDiffers       a table that was created from another declaration
├── BadRows            rows that do not fit the table; nothing of the call was written
├── StoreUnavailable   the store does not answer; what was being written may or may not be there, write it again
├── BadDatabaseUrl     a database URL of no known form
├── TableUnfit         a table of events that cannot take what its type declares
├── TableHeldUp        a table of events that the database does not let be loaded now, while it takes others
├── RowsRefused        at least one of these rows is nothing that the database takes; none of them was kept
├── BadStateUrl        a URL of the state store of no known form
├── DefinitionExists   a task of this id is there already; nothing was changed
├── DefinitionChanged  the definition is not the one that was read; nothing was changed
├── DatabaseUnavailable  the database does not answer, or cannot go on now; nothing is lost, load again
├── BadHandler         a handler of alerts that a script or a file names wrongly, or that the operator does not allow
├── HandlerUnavailable  an alert was not delivered, or maybe it was; deliver it again
├── HandlerRefused     an alert that will not be taken, however often it is delivered
└── DeliveriesTaken    another process delivers the alerts of this state folder
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


class BadDatabaseUrl(OutputError):
    """It shows nothing of the URL, in which there may be a password anywhere."""

    def __init__(self) -> None:
        super().__init__(
            "DATABASE_URL is no database URL of a known form (it may hold a password, so it is not shown); use `postgresql://user:password@host:port/database`, `sqlite:///absolute/file` or `parquet:///absolute/folder`"
        )


class TableUnfit(OutputError):
    def __init__(self, table: str, column: str, *, found: str, wanted: str) -> None:
        super().__init__(
            f"the table `{table}` cannot take its events: `{column}` is {found}, wanted is {wanted}; "
            "alter it, or rename the table and let the loader make a new one"
        )


class TableHeldUp(OutputError):
    def __init__(self, table: str, *, url: str, cause: object) -> None:
        super().__init__(
            f"the database at `{url}` does not let `{table}` be loaded: {str(cause).strip()}; "
            "the others are loaded, and this one once that is mended"
        )


class RowsRefused(OutputError):
    """Its text is the database's own reason."""


class DatabaseUnavailable(OutputError):
    def __init__(self, url: str, *, doing: str, cause: object) -> None:
        super().__init__(
            f"the database at `{url}` did not answer while {doing}: {str(cause).strip()}; check that it runs, then load again"
        )


class BadStateUrl(OutputError):
    """It shows nothing of the URL, in which there may be a password anywhere."""

    def __init__(self) -> None:
        super().__init__(
            "TASKS_STATE_URL is no URL of a known form (it may hold a password, so it is not shown); use "
            "`sqlite:///absolute/folder` or `postgresql://user:password@host:port/database`"
        )


class DefinitionExists(OutputError):
    def __init__(self, task_id: str) -> None:
        super().__init__(f"task {task_id} already exists")


class DefinitionChanged(OutputError):
    def __init__(self, task_id: str) -> None:
        super().__init__(f"task {task_id} was changed or deleted by somebody else meanwhile; look at it and try again")


class BadHandler(OutputError):
    """Its text names the handler and what is allowed."""

    def __init__(self, kind: str, *, because: str) -> None:
        super().__init__(f"the alert handler `{kind}` {because}")


class HandlerUnavailable(OutputError):
    """Its text is a reason without the address's path and without credentials."""


class HandlerRefused(OutputError):
    """Its text is a reason without the address's path and without credentials."""


class DeliveriesTaken(OutputError):
    def __init__(self, folder: object) -> None:
        super().__init__(
            f"another process delivers the alerts whose state is in `{folder}`; stop it, or use another folder"
        )
