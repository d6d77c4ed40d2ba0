"""Reads the segments of a store with pyarrow and with DuckDB, as somebody would who has never heard of Trackway.

    read_segments.py DATA_DIR EXPECTED

EXPECTED has one line of JSON for each span that was sent. Every span is compared with its row in full, as pyarrow
reads it with its own check of the pages' checksums; the tree is followed by row numbers. What both readers count is
printed as one line of JSON. A difference ends the program with its description.
"""

import glob
import json
import sys
import uuid

import duckdb
import pyarrow.parquet as pq

DIFFERENCES_SHOWN = 10
TYPE_NAMES = {"string", "bool", "int", "double", "bytes", "array", "map"}


def files_of(data_dir, kind):
    return sorted(glob.glob(f"{data_dir}/**/*.{kind}.parquet", recursive=True))


def read_rows(file):
    """Gives the rows of one file, as dictionaries of what is not null."""
    table = pq.read_table(file, page_checksum_verification=True)
    columns = {name: table.column(name) for name in table.column_names}
    plain = {}
    for name, column in columns.items():
        # Nanoseconds, not a Python time, which has only microseconds.
        is_time = str(column.type).startswith("timestamp")
        plain[name] = (column.cast("int64") if is_time else column).to_pylist()
    return [{name: values[row] for name, values in plain.items() if values[row] is not None}
            for row in range(table.num_rows)]


def key_of(column, prefix):
    """Gives the attribute's key: columns are `a.KEY`, or `a.KEY:TYPE` where a key has several types."""
    key = column.removeprefix(prefix)
    head, _, last = key.rpartition(":")
    return head if head and last in TYPE_NAMES else key


def attributes_of(row, prefix):
    def plain(value):
        # A column of values that all are UUIDs has the type UUID.
        is_uuid_bytes = isinstance(value, bytes) and len(value) == 16
        return str(uuid.UUID(bytes=value)) if is_uuid_bytes else str(value) if isinstance(value, uuid.UUID) else value

    return {key_of(name, prefix): plain(value) for name, value in row.items() if name.startswith(prefix)}


def parent_of(rows, number):
    delta = rows[number]["parent_delta"]
    if delta > 0:
        return rows[number - delta]["span_id"].hex()
    return "" if delta == 0 else rows[number]["parent_span_id"].hex()


def span_of(rows, number):
    row = rows[number]
    return {
        "trace_id": row["trace_id"].hex(),
        "span_id": row["span_id"].hex(),
        "parent_span_id": parent_of(rows, number),
        "name": row["name"],
        "service": row["service"],
        "kind": row["kind"],
        "status": row["status"],
        "status_message": row.get("status_message", ""),
        "start": row["start_time"],
        "end": row["start_time"] + row["duration"],
        "attributes": attributes_of(row, "a."),
    }


def compare(data_dir, expected):
    """Compares every row with the span that was sent; gives the differences and the number of rows."""
    differences, rows_read = [], 0
    for file in files_of(data_dir, "spans"):
        rows = read_rows(file)
        rows_read += len(rows)
        for number in range(len(rows)):
            found = span_of(rows, number)
            sent = expected.pop((found["trace_id"], found["span_id"]), None)
            if found != sent:
                differences.append(f"{file} row {number}:\n  sent  {sent}\n  found {found}")
    differences += [f"not there: {sent}" for sent in expected.values()]
    return differences, rows_read


def count_with_pyarrow(data_dir):
    spans = [row for file in files_of(data_dir, "spans") for row in read_rows(file)]
    by_service = {}
    for row in spans:
        by_service[row["service"]] = by_service.get(row["service"], 0) + 1
    return {
        "spans": len(spans),
        "traces": len({row["trace_id"] for row in spans}),
        "error_spans": sum(row["status"] == 2 for row in spans),
        "spans_by_service": by_service,
        "duration_sum": sum(row["duration"] for row in spans),
        "events": sum(len(read_rows(file)) for file in files_of(data_dir, "events")),
        "links": sum(len(read_rows(file)) for file in files_of(data_dir, "links")),
        "postgresql_traces": len({row["trace_id"] for row in spans if row.get("a.db.system.name") == "postgresql"}),
    }


def count_with_duckdb(data_dir):
    database = duckdb.connect()

    def table(kind):
        return f"read_parquet('{data_dir}/**/*.{kind}.parquet', union_by_name=true)"

    def ask(question):
        return database.execute(question).fetchall()

    spans, traces, errors, duration = ask(
        f"select count(*), count(distinct trace_id), count(*) filter (status = 2), sum(duration) from {table('spans')}"
    )[0]
    postgresql = f"select count(distinct trace_id) from {table('spans')} where \"a.db.system.name\" = 'postgresql'"
    return {
        "spans": spans,
        "traces": traces,
        "error_spans": errors,
        "spans_by_service": dict(ask(f"select service, count(*) from {table('spans')} group by service")),
        "duration_sum": int(duration),
        "events": ask(f"select count(*) from {table('events')}")[0][0],
        "links": ask(f"select count(*) from {table('links')}")[0][0],
        "postgresql_traces": ask(postgresql)[0][0],
    }


def main():
    data_dir, expected_file = sys.argv[1:]
    with open(expected_file, encoding="utf-8") as lines:
        sent = [json.loads(line) for line in lines]
    expected = {(span["trace_id"], span["span_id"]): span for span in sent}
    differences, rows_read = compare(data_dir, expected)
    if differences:
        sys.exit(f"{len(differences)} of {rows_read} rows differ:\n" + "\n".join(differences[:DIFFERENCES_SHOWN]))
    counted = {"pyarrow": count_with_pyarrow(data_dir), "duckdb": count_with_duckdb(data_dir)}
    print(json.dumps({"segments": len(files_of(data_dir, "spans")), **counted}))


main()
