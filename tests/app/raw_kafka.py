"""A transactional producer of a few requests in Kafka's protocol, for tests that need an open transaction and no client library."""

import socket
import struct


def string(text):
    return struct.pack(">h", len(text)) + text.encode()


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def varint(number):
    number = (number << 1) ^ (number >> 63)
    out = b""
    while number > 0x7F:
        out += bytes([number & 0x7F | 0x80])
        number >>= 7
    return out + bytes([number])


def record_batch(value, producer_id, epoch, sequence):
    body = b"\0" + varint(0) + varint(0) + varint(-1) + varint(len(value)) + value + varint(0)
    record = varint(len(body)) + body
    transactional = 1 << 4
    checked = struct.pack(">hiqqqhii", transactional, 0, 1_700_000_000_000, 1_700_000_000_000, producer_id, epoch, sequence, 1) + record
    counted = struct.pack(">ibI", -1, 2, crc32c(checked)) + checked
    return struct.pack(">qi", 0, len(counted)) + counted


class Producer:
    def __init__(self, address, transactional_id):
        host, port = address.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), timeout=30)
        self.id = transactional_id
        self.sequence = 0
        self.producer = (-1, -1)

    def close(self):
        self.socket.close()

    def call(self, key, version, body):
        frame = struct.pack(">hhi", key, version, 7) + string("test") + body
        self.socket.sendall(struct.pack(">i", len(frame)) + frame)
        return self.take(struct.unpack(">i", self.take(4))[0])[4:]

    def take(self, count):
        taken = b""
        while len(taken) < count:
            more = self.socket.recv(count - len(taken))
            if not more:
                raise ConnectionError("the server has closed")
            taken += more
        return taken

    def init(self, timeout_ms=60_000):
        """The error code; 0: the producer has its id and epoch."""
        error, producer, epoch = struct.unpack(">xxxxhqh", self.call(22, 0, string(self.id) + struct.pack(">i", timeout_ms)))
        self.producer = (producer, epoch)
        return error

    def add(self, topic, partition=0):
        body = string(self.id) + struct.pack(">qhi", *self.producer, 1) + string(topic) + struct.pack(">ii", 1, partition)
        return struct.unpack(">h", self.call(24, 0, body)[-2:])[0]

    def send(self, topic, value, partition=0):
        batch = record_batch(value, *self.producer, self.sequence)
        self.sequence += 1
        body = (string(self.id) + struct.pack(">hii", -1, 30_000, 1) + string(topic) + struct.pack(">ii", 1, partition)
                + struct.pack(">i", len(batch)) + batch)
        answer = self.call(0, 3, body)
        return struct.unpack(">h", answer[4 + 2 + len(topic) + 4 + 4:][:2])[0]

    def commit(self):
        return struct.unpack(">xxxxh", self.call(26, 0, string(self.id) + struct.pack(">qhb", *self.producer, 1)))[0]
