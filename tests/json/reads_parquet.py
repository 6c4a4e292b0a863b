"""reads_parquet.py pyarrow|spark FILE…: of each file {"types": [[name, Spark's DDL]…], "rows": [[cell…]…]}, cells as in our answers."""

import json
import math
import sys


def with_pyarrow(path):
    import pyarrow.parquet
    import pyarrow.types as types

    def ddl(kind):
        if types.is_struct(kind):
            return "struct<" + ",".join(f"{kind.field(i).name}:{ddl(kind.field(i).type)}" for i in range(kind.num_fields)) + ">"
        if types.is_list(kind):
            return f"array<{ddl(kind.value_type)}>"
        if types.is_decimal(kind):
            return f"decimal({kind.precision},{kind.scale})"
        if types.is_timestamp(kind):
            return "timestamp" if kind.tz else "timestamp_ntz"
        names = {"int64": "bigint", "int32": "int", "bool": "boolean", "double": "double", "string": "string", "binary": "binary"}
        return names[str(kind)]

    table = pyarrow.parquet.ParquetFile(path).read()
    columns = [[cell(value, ddl(field.type)) for value in table.column(field.name).to_pylist()] for field in table.schema]
    return {"types": [[field.name, ddl(field.type)] for field in table.schema], "rows": list(zip(*columns))}


def with_spark(path):
    from pyspark.sql import SparkSession

    spark = (
        SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.caseSensitive", "true")
        .getOrCreate()
    )
    spark.sparkContext.setLogLevel("ERROR")
    frame = spark.read.parquet(path)
    kinds = [field.dataType.simpleString() for field in frame.schema]
    rows = [
        [cell(value.asDict(True) if hasattr(value, "asDict") else value, kind) for value, kind in zip(row, kinds)]
        for row in frame.collect()
    ]
    return {"types": [[field.name, kind] for field, kind in zip(frame.schema, kinds)], "rows": rows}


def cell(value, kind):
    if isinstance(value, float) and not math.isfinite(value):
        return "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, (list, tuple)):
        return [cell(each, "") for each in value]
    if hasattr(value, "asDict"):
        value = value.asDict()
    if isinstance(value, dict):
        return {key: cell(each, "") for key, each in value.items()}
    if isinstance(value, (bytes, bytearray)):
        return value.hex()
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


read = {"pyarrow": with_pyarrow, "spark": with_spark}[sys.argv[1]]
json.dump([read(path) for path in sys.argv[2:]], sys.stdout)
