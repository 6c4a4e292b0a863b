#!/usr/bin/env python3
"""Makes data/*.ndjson (seeded) and asks Spark for expected/*.json, or only for those named. Needs pyspark 4 and Java 17."""
import base64, datetime, decimal, json, math, pathlib, random, re, sys

HERE = pathlib.Path(__file__).parent


def attempts(count):
    """Exam attempts of the shape that the firm's events have."""
    rng = random.Random(7)
    names = ["Ropes and Knots", "Tides: a First Course", "Bread", "Reading Maps", "Speaking up in a Choir",
             "Zero, Nothing and None", "Étude de cas", "How Bridges Stand", "Clocks II"]
    for number in range(count):
        name = names[min(int(rng.expovariate(0.45)), len(names) - 1)]
        started = datetime.datetime(2018, 1, 1) + datetime.timedelta(seconds=rng.randrange(40 * 86400), milliseconds=rng.randrange(1000))
        stamp = f"{(started - datetime.datetime(1970, 1, 1)).total_seconds() + 3600:.3f}"
        questions = []
        for q in range(rng.randint(1, 5)):
            options = []
            for o in range(rng.randint(2, 4)):
                option = {"checked": rng.random() < 0.4, "id": f"o-{number}-{q}-{o}"}
                if option["checked"]:
                    option["at"] = (started + datetime.timedelta(seconds=q * 10 + o)).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
                    option["submitted"] = 1
                if o == 0:
                    option["correct"] = True
                options.append(option)
            result = rng.choice(["correct", "incorrect", "missed_some", "unanswered"])
            questions.append({"id": f"q-{number}-{q}", "user_correct": result == "correct", "user_incomplete": result == "missed_some",
                              "user_result": result, "user_submitted": result != "unanswered", "options": options})
        results = [q["user_result"] for q in questions]
        counts = {"correct": results.count("correct"), "incorrect": results.count("incorrect"), "incomplete": results.count("missed_some"),
                  "unanswered": results.count("unanswered"), "total": len(results), "submitted": len(results) - results.count("unanswered")}
        counts["all_correct"] = counts["correct"] == counts["total"]
        sequences = {"attempt": 1, "id": f"s-{number}", "questions": questions, "counts": counts}
        if number % 23 == 11:  # recorded without a score
            del sequences["counts"]
            for question in questions:
                for key in ("user_correct", "user_incomplete", "user_result", "user_submitted"):
                    del question[key]
        yield {"keen_timestamp": stamp, "max_attempts": "1.0", "started_at": started.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z",
               "base_exam_id": f"b-{names.index(name)}", "user_exam_id": f"u-{number}", "sequences": sequences, "keen_created_at": stamp,
               "certification": None if number % 5 == 0 else "false", "keen_id": f"k-{number}", "exam_name": name}


def orders(count):
    """Something else altogether: numbers of all kinds, NULLs, arrays, text with edges."""
    rng = random.Random(11)
    for number in range(count):
        row = {"id": number, "customer": rng.choice(["ann", "Bob", "cy d", "Ünal", ""]), "quantity": rng.randrange(-3, 12),
               "price": round(rng.uniform(0, 200), 2), "rate": rng.choice([0.285, 1.005, 2.5, -1.5, 0.1, 1e10, 1.5e-5, 100.0]),
               "paid": rng.random() < 0.5,
               "tags": rng.sample(["a", "b", "c", "d"], rng.randrange(0, 4)),
               "scores": [rng.randrange(10) for _ in range(rng.randrange(0, 4))],
               "placed": (datetime.datetime(2020, 2, 27) +
                          datetime.timedelta(hours=rng.randrange(2000), seconds=rng.randrange(3600))).strftime("%Y-%m-%d %H:%M:%S"),
               "address": {"city": rng.choice(["Rome", "Oslo", "Lima"]), "zip": f"{rng.randrange(100000):05d}",
                           "geo": {"lat": rng.randrange(-90, 90) / 2, "lon": rng.randrange(-180, 180) / 4}},
               "code": rng.choice(["12", "7.9", "x", " 5 ", "-3", "1e2", "true", "", "2020-03-01"]), "note": None,
               "lines": [{"sku": f"s{rng.randrange(5)}", "n": rng.randrange(1, 4)} for _ in range(rng.randrange(0, 3))],
               "json": json.dumps({"a": {"b": number, "c": [1, 2, number]}, "s": "t"})}
        for key in ("customer", "quantity", "price", "paid", "tags", "address"):
            if rng.random() < 0.1:
                row[key] = None
        yield row


def cities():
    for name, country, people in [("Rome", "IT", 2873000), ("Oslo", "NO", 709000), ("Paris", "FR", 2161000), ("Lima", None, 9752000)]:
        yield {"name": name, "country": country, "people": people}


def visits(count):
    """Names that are words of SQL, and columns for windows and sets."""
    rng = random.Random(23)
    for number in range(count):
        yield {"day": f"2021-03-{rng.randrange(1, 29):02d}", "month": rng.randrange(1, 13), "order": number, "group": rng.choice("xyz"),
               "type": rng.choice(["walk-in", "booked", "Call back"]), "user": rng.choice(["u1", "u2", "u3", None]),
               "table": {"left": rng.randrange(5), "select": rng.choice(["s", "t"]), "end": None if number % 7 == 0 else number / 4},
               "position": rng.randrange(100), "values": [rng.randrange(6) for _ in range(rng.randrange(4))], "range": rng.random() < 0.3,
               "desc": rng.choice(["a_b", "a%b", "AB", "b", ""]), "offset": rng.randrange(3), "interval": rng.randrange(1, 90) / 8}


def cell(value, kind):
    """A value as the worker's JSON has it."""
    from pyspark.sql import types as t
    if value is None:
        return None
    if isinstance(kind, t.StructType):
        return {f.name: cell(value[i], f.dataType) for i, f in enumerate(kind.fields)}
    if isinstance(kind, t.ArrayType):
        return [cell(v, kind.elementType) for v in value]
    if isinstance(kind, t.MapType):
        return {str(k): cell(v, kind.valueType) for k, v in value.items()}
    if isinstance(value, decimal.Decimal):
        return f"{value:f}"
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, datetime.datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, (bytes, bytearray)):
        return base64.b64encode(bytes(value)).decode()
    return value


def statements(path):
    text = re.sub(r"(?m)^--.*\n", "", path.read_text(encoding="utf-8"))
    return [s.strip() for s in re.split(r";[ \t]*(?:\n|$)", text) if s.strip()]


def is_ordered(sql):
    words = sql.upper()
    return "ORDER BY" in words or not re.search(r"GROUP BY|DISTINCT|JOIN|UNION|INTERSECT|EXCEPT|MINUS|SHOW", words)


def main():
    import os, time
    os.environ["TZ"] = "UTC"
    time.tzset()
    for name, rows in (("exams", attempts(80)), ("orders", orders(60)), ("cities", cities()), ("visits", visits(40))):
        with open(HERE / "data" / f"{name}.ndjson", "w", encoding="utf-8") as file:
            for row in rows:
                file.write(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n")
    from pyspark.sql import SparkSession
    spark = (SparkSession.builder.master("local[1]").config("spark.sql.ansi.enabled", "false").config("spark.ui.enabled", "false")
             .config("spark.sql.session.timeZone", "UTC").config("spark.sql.shuffle.partitions", "1").getOrCreate())
    spark.sparkContext.setLogLevel("OFF")
    for name in ("exams", "orders", "cities", "visits"):
        spark.read.json(str(HERE / "data" / f"{name}.ndjson")).createOrReplaceTempView(name)
    bad = 0
    for path in sorted((HERE / "statements").glob("*.sql")):
        if sys.argv[1:] and path.stem not in sys.argv[1:]:
            continue
        answers = []
        for sql in statements(path):
            try:
                frame = spark.sql(sql)
                if sql.upper().startswith(("CREATE", "DROP")):
                    answers.append({"sql": sql, "ordered": True, "columns": [], "rows": []})
                    continue
                answers.append({"sql": sql, "ordered": is_ordered(sql),
                                "columns": [{"name": f.name, "type": f.dataType.simpleString()} for f in frame.schema.fields],
                                "rows": [[cell(v, f.dataType) for v, f in zip(row, frame.schema.fields)] for row in frame.collect()]})
            except Exception as error:
                bad += 1
                print(f"{path.name}: Spark refuses: {sql}\n    {str(error).splitlines()[0][:200]}")
        with open(HERE / "expected" / f"{path.stem}.json", "w", encoding="utf-8") as file:
            file.write("[\n" + ",\n".join(json.dumps(a, ensure_ascii=False) for a in answers) + "\n]\n")
        print(f"{path.name}: {len(answers)} statements")
    return 1 if bad else 0


if __name__ == "__main__":
    raise SystemExit(main())
