#!/usr/bin/env python3
"""Writes spark_inference.tsv: what spark.read.json infers of small sets of values (one set a line: type, then the values).

Run with PySpark 4 and a Java that it knows:  python3 spark_inference.py > spark_inference.tsv
Left out, since Tripos decides otherwise and says so: duplicate keys (Spark shows both), values that aren't JSON objects, Spark's leniency
(single quotes, NaN, bytes after the value), keys outside of the basic plane (Spark sorts by UTF-16), empty strings (for Spark they are
nulls until a type is known).
"""
import json
import random

from pyspark import __version__
from pyspark.sql import SparkSession

CHOSEN = """
{"a":{}}
{"a":{},"b":1}
{"a":[{}]}
{"a":[[{}]],"b":1}
{}
{"":1,"b":2}
{"a":null}
{"a":[]}
{"a":[null]}
{"a":12345678901234567890}
{"a":9223372036854775807}|{"a":-9223372036854775808}
{"a":9223372036854775808}
{"a":9223372036854775808}|{"a":1}
{"a":-9223372036854775809}
{"a":12345678901234567890}|{"a":1}
{"a":123456789012345678901234567890}|{"a":12345678901234567890}
{"a":12345678901234567890123456789012345678}
{"a":123456789012345678901234567890123456789}
{"a":12345678901234567890}|{"a":1.5}
{"a":12345678901234567890}|{"a":true}
{"a":12345678901234567890}|{"a":"x"}
{"a":1}|{"a":true}
{"a":1}|{"a":{"b":1}}
{"a":[1]}|{"a":{"b":1}}
{"a":[1]}|{"a":["x"]}
{"a":[1,2.5]}
{"a":[1,[2]]}
{"a":[1,null,{"b":1}]}
{"a":[[1],[2.5,null]]}
{"a":1e2}
{"a":1E400}
{"a":-0}
{"a":0.0}
{"a":1}|{"a":{}}
{"a":"x"}|{"a":{}}
{"a":{}}|{"a":null}|{"a":{"x":null}}
{"a":{}}|{"a":[]}
{"a":[]}|{"a":[1]}
{"a":[]}|{"a":1}
{"a":[{}]}|{"a":[{"x":1}]}
{"a":[{"x":1},{"y":[{}]}]}
{"a":{"b":{"c":{}}},"d":{"e":1}}
{"b":1,"B":2,"a":3,"\u00e9":1,"Z":1,"\uff5e":1,"_":1,"1":1}
{"a b":1,"c.d":2,"e-f":3}
{"a":true}|{"a":"x"}
{"a":true}|{"a":null}
{"a":"2018-01-23T14:23:19.082Z"}
{"a":"2018-01-23"}|{"a":"12:30:00"}
{"a":"1"}|{"a":"true"}
{"user":{"id":1,"tags":["x"]}}|{"user":{"id":"1","tags":[]}}|{"user":null}
"""

KEYS = ["a", "b", "c", "id", "Name", "name", "user_result", "x y"]
SCALARS = ["null", "true", "false", '"x"', '"1"', "1", "-7", "0", "2.5", "1e3", "9223372036854775807", "9223372036854775808",
           "123456789012345678901234567890", "1234567890123456789012345678901234567890"]


def value(rng, depth):
    kind = rng.randrange(10 if depth else 6)
    if kind < 6:
        return rng.choice(SCALARS)
    if kind < 8:
        return obj(rng, depth - 1)
    return "[" + ",".join(value(rng, depth - 1) for _ in range(rng.randrange(4))) + "]"


def obj(rng, depth):
    keys = rng.sample(KEYS, rng.randrange(4))
    return "{" + ",".join(json.dumps(k) + ":" + value(rng, depth) for k in keys) + "}"


def main():
    spark = (SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").config("spark.sql.caseSensitive", "true")
             .getOrCreate())
    spark.sparkContext.setLogLevel("OFF")
    sets = [line.split("|") for line in CHOSEN.strip().split("\n")]
    rng = random.Random(20180128)
    sets += [[obj(rng, 3) for _ in range(rng.randrange(1, 5))] for _ in range(500)]
    print(f"# spark.read.json of PySpark {__version__}, by spark_inference.py")
    for values in sets:
        # Python's DataType writes all fields; the JVM's text would be cut.
        print("\t".join([spark.read.json(spark.sparkContext.parallelize(values, 1)).schema.simpleString()] + values), flush=True)


main()
