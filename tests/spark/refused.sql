-- Statements of Spark's SQL that are not answered, each with what the error says (spark_corpus_test.cc).
SELECT array_sort(array('bb', 'a'), (l, r) -> length(l) - length(r)); -- LAMBDA is not supported
SELECT stack(2, 1, 'a', 2, 'b'); -- Spark's function stack is not supported
SELECT struct(1, 'a'), struct(1 AS x, 'a' AS y).y, named_struct('a', array(1, 2)).a[1], struct(order, table.*) FROM visits ORDER BY order LIMIT 2; -- STAR is not supported
SELECT soundex('Robert'); -- Spark's function soundex is not supported
SELECT crc32('a'); -- Spark's function crc32 is not supported
SELECT hash('a') IS NOT NULL; -- Spark's function hash is not supported
SELECT xxhash64('a') IS NOT NULL; -- Spark's function xxhash64 is not supported
SELECT conv('ff', 16, 10); -- Spark's function conv is not supported
SELECT printf('%05d', 42); -- Spark's function printf is not supported
SELECT parse_url('http://x.org/p?q=1', 'HOST'); -- Spark's function parse_url is not supported
SELECT parse_url('http://x.org/p?q=1', 'QUERY', 'q'); -- Spark's function parse_url is not supported
SELECT to_char(1234.5, '9999.9'); -- Spark's function to_char is not supported
SELECT luhn_check('79927398713'); -- Spark's function luhn_check is not supported
SELECT mask('Ab1-'); -- Spark's function mask is not supported
SELECT from_json('{"a":1,"b":"x"}', 'a INT, b STRING').b; -- Spark's function from_json is not supported
SELECT from_json('[1,2]', 'array<int>'); -- Spark's function from_json is not supported
SELECT schema_of_json('{"a":1}'); -- Spark's function schema_of_json is not supported
SELECT from_json('{"a":1.5,"b":{"c":[true]}}', 'struct<a:double,b:struct<c:array<boolean>>>') AS j; -- Spark's function from_json is not supported
SELECT from_json('bad', 'a INT') AS k; -- Spark's function from_json is not supported
SELECT timestamp'2020-01-01 00:00:00' + interval '1 02:03:04' day to second; -- INTERVAL
SELECT window(timestamp'2020-01-01 00:07:00', '5 minutes').start; -- Spark's function window is not supported
SELECT width_bucket(5.3, 0.2, 10.6, 5); -- Spark's function width_bucket is not supported
SELECT shiftleft(1, 3); -- Spark's function shiftleft is not supported
SELECT shiftrightunsigned(8, 1); -- Spark's function shiftrightunsigned is not supported
SELECT monotonically_increasing_id() >= 0; -- Spark's function monotonically_increasing_id is not supported
SELECT try_to_number('12', '99'); -- Spark's function try_to_number is not supported
SELECT conv('10', 2, 10); -- Spark's function conv is not supported
SELECT 5 ^ 6; -- the operator ^
SELECT -5 >>> 1; -- >>>
SELECT assert_true(true); -- Spark's function assert_true is not supported
SELECT input_file_name() IS NOT NULL; -- Spark's function input_file_name is not supported
SELECT spark_partition_id() >= 0; -- Spark's function spark_partition_id is not supported
SELECT count(*) FROM visits TABLESAMPLE (100 PERCENT); -- TABLESAMPLE is not supported
SELECT order FROM visits |> WHERE order < 3 |> ORDER BY order; -- |>
SELECT histogram_numeric(position, 2) IS NOT NULL FROM visits; -- Spark's function histogram_numeric is not supported
