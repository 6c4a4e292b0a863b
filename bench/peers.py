"""What others do with the same files: one process a job, so that its start, CPU and memory are its own.

    python3 peers.py PEER parquet INPUT OUTPUT     INPUT: NDJSON; OUTPUT is written and synced
    python3 peers.py PEER query INPUT              INPUT: NDJSON or Parquet

The query is the firm's proficiency: per exam the attempts, those with every answer right, and the mean share of right answers.
Each peer does it in the way that its own documentation shows for nested NDJSON; types are inferred by the peer, as ours are (DuckDB and
chdb from the first 20,480 and 25,000 rows; polars, Spark and we from all). Answers are printed as JSON: an array of rows.
"""

import importlib.util
import json
import os
import shutil
import sys

QUERY = """
SELECT exam_name, count(*) AS attempts, sum(CASE WHEN {all_correct} THEN 1 ELSE 0 END) AS all_right,
       avg(CAST({correct} AS DOUBLE) / {total}) AS share
FROM {table} WHERE {total} > 0 GROUP BY exam_name ORDER BY attempts DESC, exam_name LIMIT 10
"""
COUNTS = {name: f"sequences.counts.{name}" for name in ("all_correct", "correct", "total")}


SHARE_ERROR_MAX = 1e-9  # sums of doubles depend on their order


def same_answer(a, b):
    """Rows of QUERY, of whichever peer."""
    return len(a) == len(b) and all(
        x[0] == y[0] and int(x[1]) == int(y[1]) and int(x[2]) == int(y[2]) and abs(float(x[3]) - float(y[3])) < SHARE_ERROR_MAX
        for x, y in zip(a, b)
    )


def synced(path):
    file = os.open(path, os.O_RDONLY)
    os.fsync(file)
    os.close(file)


def duckdb(job, source, output):
    import duckdb

    connection = duckdb.connect()
    columns = "read_json('{}', format='newline_delimited', maximum_object_size=67108864)".format(source)
    if job == "parquet":
        connection.sql(f"COPY (SELECT * FROM {columns}) TO '{output}' (FORMAT parquet, COMPRESSION zstd)")
    else:
        table = columns if source.endswith("json") else f"'{source}'"
        print(json.dumps(connection.sql(QUERY.format(table=table, **COUNTS)).fetchall(), default=str))


def chdb(job, source, output):
    import chdb

    settings = " SETTINGS input_format_json_read_objects_as_strings=0, allow_experimental_object_type=0"
    table = f"file('{os.path.abspath(source)}', {'JSONEachRow' if source.endswith('json') else 'Parquet'})"
    if job == "parquet":
        chdb.query(
            f"SELECT * FROM {table} INTO OUTFILE '{output}' TRUNCATE FORMAT Parquet"
            " SETTINGS output_format_parquet_compression_method='zstd', schema_inference_make_columns_nullable=1"
        )
    else:
        rows = chdb.query(QUERY.format(table=table, **COUNTS) + settings, "JSONCompactEachRow")
        print(json.dumps([json.loads(line) for line in str(rows).splitlines()]))


def polars(job, source, output):
    import polars

    if source.endswith("json"):
        frame = polars.scan_ndjson(source, infer_schema_length=None)
    else:
        frame = polars.scan_parquet(source)
    if job == "parquet":
        frame.sink_parquet(output, compression="zstd")
    else:
        counts = polars.col("sequences").struct.field("counts").struct
        share = counts.field("correct") / counts.field("total")
        answer = (
            frame.filter(counts.field("total") > 0)
            .group_by("exam_name")
            .agg(polars.len().alias("attempts"), counts.field("all_correct").sum().alias("all_right"), share.mean().alias("share"))
            .sort(["attempts", "exam_name"], descending=[True, False])
            .head(10)
        )
        print(json.dumps(answer.collect(engine="streaming").rows()))


def spark(job, source, output):
    from pyspark.sql import SparkSession

    session = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    frame = session.read.json(source) if source.endswith("json") else session.read.parquet(source)
    if job == "parquet":
        frame.write.mode("overwrite").option("compression", "zstd").parquet(output)
        for part in os.listdir(output):
            synced(os.path.join(output, part))
    else:
        frame.createOrReplaceTempView("attempts")
        print(json.dumps([list(row) for row in session.sql(QUERY.format(table="attempts", **COUNTS)).collect()], default=str))


PEERS = {"DuckDB": duckdb, "chdb": chdb, "polars": polars, "Spark": spark}
MODULES = {"DuckDB": "duckdb", "chdb": "chdb", "polars": "polars", "Spark": "pyspark"}


def command(peer, *job):
    return [sys.executable, os.path.abspath(__file__), peer, *job]


def chosen(names):
    """The peers of `NAME,…` that are installed; says which are not."""
    asked = [] if names == "none" else names.split(",")
    unknown = [peer for peer in asked if peer not in PEERS]
    if unknown:
        raise SystemExit(f"no such peer: {', '.join(unknown)} (there are {', '.join(PEERS)})")
    installed = [peer for peer in asked if importlib.util.find_spec(MODULES[peer])]
    for peer in asked:
        if peer not in installed:
            print(f"{peer} is not installed: left out")
    return installed


def remove(output):
    shutil.rmtree(output) if os.path.isdir(output) else os.remove(output)


def main():
    peer, job, source = sys.argv[1:4]
    output = sys.argv[4] if len(sys.argv) > 4 else None
    PEERS[peer](job, source, output)
    if job == "parquet" and os.path.isfile(output):
        synced(output)


if __name__ == "__main__":
    main()
