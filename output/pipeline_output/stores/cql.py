"""Tables and statements in CQL, from the tables' declarations.

Rows of one time bucket are one partition, sorted by time and then the rest of the key. Which buckets there are stands
in a table of its own, `BUCKETS`: Cassandra cannot list partitions without reading them all.
Compaction is the default. The one by time windows looks at write timestamps, and ours are versions.
"""

from __future__ import annotations

from pipeline_output.tables import Table

CQL_TYPES = {"string": "text", "int64": "bigint", "float64": "double", "boolean": "boolean"}
BUCKETS = "buckets"


def create_keyspace(keyspace: str, *, datacenter: str, replication: int) -> str:
    copies = f"{{'class': 'NetworkTopologyStrategy', '{datacenter}': {replication}}}"
    return f"create keyspace if not exists {keyspace} with replication = {copies}"


def create_buckets(keyspace: str) -> str:
    columns = "table_name text, bucket bigint, primary key (table_name, bucket)"
    return f"create table if not exists {keyspace}.{BUCKETS} ({columns})"


def create_table(keyspace: str, table: Table) -> str:
    columns = [f'"{column.name}" {CQL_TYPES[column.kind]}' for column in table.columns]
    key = ", ".join(f'"{name}"' for name in table.order)
    body = ", ".join([f"{bucket_column(table)} bigint", *columns, f"primary key ({bucket_column(table)}, {key})"])
    comment = table.doc.replace("'", "''")
    return f"create table if not exists {keyspace}.\"{table.name}\" ({body}) with comment = '{comment}'"


def bucket_column(table: Table) -> str:
    """It carries its length in its name, so that a table made with another length is recognised."""
    return f"bucket_{table.bucket_s}s"


def insert_row(keyspace: str, table: Table) -> str:
    """The row's values, then the version and the time to live."""
    names = ", ".join([bucket_column(table), *(f'"{name}"' for name in table.names)])
    marks = ", ".join("?" * (1 + len(table.columns)))
    return f'insert into {keyspace}."{table.name}" ({names}) values ({marks}) using timestamp ? and ttl ?'


def insert_bucket(keyspace: str) -> str:
    return f"insert into {keyspace}.{BUCKETS} (table_name, bucket) values (?, ?) using ttl ?"


def select_buckets(keyspace: str) -> str:
    return f"select bucket from {keyspace}.{BUCKETS} where table_name = ? and bucket >= ?"


def select_rows(keyspace: str, table: Table) -> str:
    names = ", ".join(f'"{name}"' for name in table.names)
    where = f'{bucket_column(table)} = ? and "{table.time}" >= ?'
    return f'select {names} from {keyspace}."{table.name}" where {where} limit ?'


SELECT_COLUMNS = "select column_name from system_schema.columns where keyspace_name = ? and table_name = ?"
