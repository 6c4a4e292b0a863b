"""spark_reads.py CASES: what spark.read.json makes of each list of messages: {"types": {name: DDL}, "rows": [as toJSON]}."""

import json
import sys

from pyspark.sql import SparkSession

spark = (
    SparkSession.builder.master("local[2]")
    .config("spark.ui.enabled", "false")
    .config("spark.sql.caseSensitive", "true")
    .config("spark.sql.shuffle.partitions", "2")
    .getOrCreate()
)
spark.sparkContext.setLogLevel("ERROR")
answers = []
for messages in json.load(open(sys.argv[1])):
    frame = spark.read.json(spark.sparkContext.parallelize(messages, 1))
    answers.append(
        {
            "types": {field.name: field.dataType.simpleString() for field in frame.schema},
            "rows": [json.loads(row) for row in frame.toJSON().collect()],
        }
    )
json.dump(answers, sys.stdout)
