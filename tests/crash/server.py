"""The program under test, killed with -9 again and again. Its addresses stay the same, so that clients find it again."""

import json
import os
import random
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request

START_MAX_S = 60
PORTS = range(20_000, 32_000)  # below those that the system gives to outgoing connections


class ServerFailed(Exception):
    """The server ended by itself, or does not start."""


def free_port(chooser):
    while True:
        port = chooser.choice(PORTS)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port


class Server:
    def __init__(self, program, directory, *arguments):
        self.data = os.path.join(directory, "data")
        chooser = random.Random()
        self.kafka, self.http = (f"127.0.0.1:{free_port(chooser)}" for _ in range(2))
        self.command = [program, "serve", "--data", self.data, "--kafka", self.kafka, "--http", self.http, *arguments]
        self.program = program
        self.log_path = os.path.join(directory, "server.log")
        self.process = None
        self.kills = 0
        self.up = threading.Event()

    def start(self, wait=True):
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=log, env={**os.environ, "HOME": "/nonexistent"})
        if not wait:
            return
        begin = time.monotonic()
        told = [self.process.stdout.readline() for _ in range(3)]
        if not told[-1]:
            raise ServerFailed(f"the server ended with {self.process.wait()} when it was started:\n{self.log_tail()}")
        if time.monotonic() - begin > START_MAX_S:
            raise ServerFailed(f"the server took {time.monotonic() - begin:.0f} s to start")
        self.up.set()

    def kill(self):
        if self.process.poll() is not None:
            raise ServerFailed(f"the server ended by itself with {self.process.returncode}:\n{self.log_tail()}")
        self.up.clear()
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process.stdout.close()
        self.kills += 1

    def stop(self):
        self.process.terminate()
        code = self.process.wait(timeout=60)
        self.process.stdout.close()
        if code != 0:
            raise ServerFailed(f"a clean stop ended with {code}:\n{self.log_tail()}")

    def log_tail(self):
        with open(self.log_path, "rb") as log:
            return log.read()[-3000:].decode(errors="replace")

    def post(self, path, body, timeout=30):
        request = urllib.request.Request(f"http://{self.http}{path}", data=body.encode(), method="POST")
        with urllib.request.urlopen(request, timeout=timeout) as response:
            return json.load(response)
