"""aiokafka against a running broker: aiokafka_trip.py HOST:PORT NAME [--sabotage]

NAME begins the names of topics and groups. --sabotage: a record is kept back, which the checks must find. Prints what compat.py reads.
"""

import asyncio
import sys

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

ADDRESS, NAME, *options = sys.argv[1:]
SABOTAGE = "--sabotage" in options
TIMEOUT_S = 40
failed = False


async def check(what, test):
    global failed
    try:
        await asyncio.wait_for(test(), TIMEOUT_S)
        print(f"pass  {what}", flush=True)
    except Exception as error:  # noqa: BLE001: whatever ends a check fails it
        failed = True
        print(f"FAIL  {what}  ({error!r:.300})", flush=True)


def expect(expected, found):
    if expected != found:
        raise AssertionError(f"expected {expected!r:.200}, found {found!r:.200}")


async def send(topic, values, **settings):
    async with AIOKafkaProducer(bootstrap_servers=ADDRESS, **settings) as producer:
        kept = values[:-1] if SABOTAGE else values
        for future in [await producer.send(topic, value, partition=0) for value in kept]:
            await future


async def consume(consumer, count):
    """So many values, and what more there is."""
    got = []
    loop = asyncio.get_running_loop()
    end = loop.time() + (5 if SABOTAGE else 30)
    while loop.time() < end:
        batches = await consumer.getmany(timeout_ms=300)
        got += [record.value for records in batches.values() for record in records]
        if not batches and len(got) >= count:
            break
    return got


def codec_trip(codec):
    async def trip():
        topic = f"{NAME}-{codec or 'none'}"
        values = [f"value {i} ".encode() * (i % 20) + b"." for i in range(1000)]
        await send(topic, values, compression_type=codec, enable_idempotence=True)
        async with AIOKafkaConsumer(topic, bootstrap_servers=ADDRESS, group_id=topic, auto_offset_reset="earliest") as consumer:
            expect(values, await consume(consumer, len(values)))
    return trip


async def goes_on():
    topic = f"{NAME}-commit"
    values = [str(i).encode() for i in range(100)]
    await send(topic, values)
    partition = TopicPartition(topic, 0)
    settings = {"bootstrap_servers": ADDRESS, "group_id": topic, "auto_offset_reset": "earliest", "enable_auto_commit": False}
    async with AIOKafkaConsumer(topic, **settings) as consumer:
        expect(values, await consume(consumer, 100))
        await consumer.commit({partition: 60})
    async with AIOKafkaConsumer(topic, **settings) as consumer:
        expect(values[60:], await consume(consumer, 40))


async def two_members():
    topic = f"{NAME}-shared"
    admin = AIOKafkaAdminClient(bootstrap_servers=ADDRESS)
    await admin.start()
    await admin.create_topics([NewTopic(topic, 4, 1)])
    await admin.close()
    settings = {"bootstrap_servers": ADDRESS, "group_id": topic, "session_timeout_ms": 6000, "heartbeat_interval_ms": 500}
    async with AIOKafkaConsumer(topic, **settings) as first:
        await first.getmany(timeout_ms=200)
        expect(4, len(first.assignment()))
        if SABOTAGE:
            expect(2, len(first.assignment()))
        async with AIOKafkaConsumer(topic, **settings) as second:
            while len(first.assignment()) != 2 or len(second.assignment()) != 2:
                await asyncio.gather(first.getmany(timeout_ms=100), second.getmany(timeout_ms=100))
            expect(4, len(first.assignment() | second.assignment()))


async def by_time():
    topic = f"{NAME}-timed"
    async with AIOKafkaProducer(bootstrap_servers=ADDRESS) as producer:
        for i in range(10):
            await producer.send_and_wait(topic, b"v", partition=0, timestamp_ms=1_000_000 + 1000 * i)
    partition = TopicPartition(topic, 0)
    async with AIOKafkaConsumer(bootstrap_servers=ADDRESS) as consumer:
        consumer.assign([partition])
        expect(5 if SABOTAGE else 4, (await consumer.offsets_for_times({partition: 1_003_500}))[partition].offset)
        expect(10, (await consumer.end_offsets([partition]))[partition])


async def fields():
    topic = f"{NAME}-fields"
    async with AIOKafkaProducer(bootstrap_servers=ADDRESS) as producer:
        value = b"other" if SABOTAGE else b"v"
        await producer.send_and_wait(topic, value, key=b"k", headers=[("trace", b"abc")], timestamp_ms=1517141411123)
    async with AIOKafkaConsumer(topic, bootstrap_servers=ADDRESS, auto_offset_reset="earliest") as consumer:
        record = await consumer.getone()
        expect((b"k", b"v", (("trace", b"abc"),), 1517141411123), (record.key, record.value, tuple(record.headers), record.timestamp))


async def transactions():
    topic = f"{NAME}-transactions"
    async with AIOKafkaProducer(bootstrap_servers=ADDRESS, transactional_id=topic) as producer:
        async with producer.transaction():
            await producer.send_and_wait(topic, b"other" if SABOTAGE else b"committed", partition=0)
        try:
            async with producer.transaction():
                await producer.send_and_wait(topic, b"aborted", partition=0)
                raise LookupError
        except LookupError:
            pass
        async with producer.transaction():
            await producer.send_and_wait(topic, b"committed too", partition=0)
    settings = {"bootstrap_servers": ADDRESS, "auto_offset_reset": "earliest", "isolation_level": "read_committed"}
    async with AIOKafkaConsumer(topic, **settings) as consumer:
        expect([b"committed", b"committed too"], await consume(consumer, 2))


async def admin():
    topic = f"{NAME}-admin"
    client = AIOKafkaAdminClient(bootstrap_servers=ADDRESS)
    await client.start()
    try:
        await client.create_topics([NewTopic(topic, 3, 1)])
        described = await client.describe_topics([topic])
        expect(2 if SABOTAGE else 3, len(described[0]["partitions"]))
        await client.delete_topics([topic])
        expect(False, topic in await client.list_topics())
    finally:
        await client.close()


async def main():
    for codec in (None, "gzip", "snappy", "lz4", "zstd"):
        await check(f"produce and consume, {codec or 'none'}", codec_trip(codec))
    await check("key, headers and time of creation", fields)
    await check("a group goes on where it committed", goes_on)
    await check("two members share partitions", two_members)
    await check("offsets by time and end", by_time)
    await check("transactions: committed ones are read, aborted ones are not", transactions)
    await check("admin: create, describe, list, delete topics", admin)
    print("done", flush=True)
    sys.exit(1 if failed else 0)


asyncio.run(main())
