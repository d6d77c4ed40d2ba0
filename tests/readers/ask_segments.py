"""Asks the segments of a store in SQL with DuckDB, as somebody would who has read docs/internals/store-format.md.

    ask_segments.py DATA_DIR

Prints one line of JSON: for each question its rows, in any order.
"""

import json
import sys

import duckdb

# `file_row_number` is the row that `parent_delta` counts from, and that events and links name in `row`. A parent that
# is not above its child in the same file is named by its id: traces may lie in several segments.
VIEWS = """
create table rows as select *, hex(trace_id) as trace, hex(span_id) as id, epoch_ns(start_time) as start_ns
    from read_parquet('{dir}/**/*.spans.parquet', union_by_name=true, filename=true, file_row_number=true);
create view spans as select child.*,
    case when child.parent_delta > 0 then above.id
         when child.parent_delta < 0 then hex(child.parent_span_id) end as parent
    from rows child left join rows above on child.parent_delta > 0 and above.filename = child.filename
    and above.file_row_number = child.file_row_number - child.parent_delta;
create view events as select *, replace(filename, '.events.parquet', '.spans.parquet') as spans_file
    from read_parquet('{dir}/**/*.events.parquet', union_by_name=true, filename=true);
create view links as select *, replace(filename, '.links.parquet', '.spans.parquet') as spans_file
    from read_parquet('{dir}/**/*.links.parquet', union_by_name=true, filename=true);
"""

QUESTIONS = {
    "spans and traces of each service":
        "select service, count(*), count(distinct trace) from spans group by all",
    "errors of each service":
        "select service, count(*) from spans where status = 2 group by all",
    # Nearest rank: the least duration that 99 of 100 stay at or under.
    "p99 of each operation":
        "select service, name, quantile_disc(duration, 0.99) from spans group by all",
    "traces with a rare value":
        """select distinct lower(trace) from spans where "a.app.user.tier" = 'platinum-founder'""",
    "traces of checkout over 200 ms":
        "select distinct lower(trace) from spans where service = 'checkout' and duration >= 200000000",
    "roots of each operation":
        "select service, name, count(*) from spans where parent_delta = 0 group by all",
    "calls between services":
        """select parent.service, child.service, count(*) from spans child
           join rows parent on parent.trace = child.trace and parent.id = child.parent group by all""",
    "parents by their number of children":
        """select children, count(*) from (
             select count(*) as children from spans where parent is not null group by trace, parent) group by all""",
    "events of each service by name":
        """select rows.service, events.name, count(*) from events
           join rows on rows.filename = events.spans_file and rows.file_row_number = events.row group by all""",
    "spans of each minute":
        "select start_ns // 60000000000, count(*) from spans group by all",
    "links":
        """select lower(rows.trace), lower(rows.id), lower(coalesce(hex(links.trace_id), rows.trace)),
             lower(hex(links.span_id))
           from links join rows on rows.filename = links.spans_file and rows.file_row_number = links.row""",
}


def main():
    (data_dir,) = sys.argv[1:]
    database = duckdb.connect()
    database.execute(VIEWS.format(dir=data_dir))
    answers = {name: database.execute(question).fetchall() for name, question in QUESTIONS.items()}
    print(json.dumps(answers))


main()
