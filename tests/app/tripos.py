"""The built program under test: runs commands, starts and kills servers. TRIPOS_PROGRAM says where it is."""

import json
import os
import resource
import shutil
import signal
import subprocess
import tempfile
import unittest
import urllib.parse
import urllib.request

PROGRAM = os.environ["TRIPOS_PROGRAM"]
ENVIRONMENT = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "LANG": "C.UTF-8"}


def run(*arguments, stdin=None, data=None, check=True, timeout=120):
    """The finished process; stdout and stderr as bytes."""
    command = [PROGRAM, *arguments] + (["--data", data] if data else [])
    done = subprocess.run(command, input=stdin, capture_output=True, env=ENVIRONMENT, timeout=timeout)
    if check and done.returncode != 0:
        raise AssertionError(f"{command} ended with {done.returncode}:\n{done.stderr.decode()}")
    return done


class Server:
    def __init__(self, data, *arguments, environment=None, files_max=None, start=True):
        """`files_max`: how many files it may have open."""
        self.data = data
        self.arguments = arguments
        self.environment = {**ENVIRONMENT, **(environment or {})}
        self.limit = (lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (files_max, files_max))) if files_max else None
        if start:
            self.start()

    def start(self):
        command = [PROGRAM, "serve", "--data", self.data, "--kafka", "127.0.0.1:0", "--http", "127.0.0.1:0", *self.arguments]
        self.log = open(os.path.join(self.data, "..", os.path.basename(self.data) + ".log"), "ab")
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.log, env=self.environment, preexec_fn=self.limit)
        told = dict(self.process.stdout.readline().decode().split(maxsplit=1) for _ in range(3))
        self.kafka = told["kafka"].strip()
        self.http = told["http"].strip()

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.close()

    def stop(self):
        """A clean stop; the exit code."""
        if self.process.poll() is None:
            self.process.terminate()
        code = self.process.wait(timeout=30)
        self.close()
        return code

    def close(self):
        self.process.wait(timeout=30)
        self.process.stdout.close()
        self.log.close()

    def sql(self, statement, **parameters):
        """The parsed answer of POST /v1/sql."""
        query = "?" + urllib.parse.urlencode(parameters) if parameters else ""
        request = urllib.request.Request(f"http://{self.http}/v1/sql{query}", data=statement.encode(), method="POST")
        with urllib.request.urlopen(request, timeout=60) as response:
            return json.load(response)

    def rows(self, statement, **parameters):
        return self.sql(statement, **parameters)["rows"]

    def run(self, *arguments, **options):
        return run(*arguments, data=self.data, **options)


class TriposTest(unittest.TestCase):
    """A test with a directory of its own, and servers that end with it."""

    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="tripos-test-")
        self.data = os.path.join(self.directory, "data")
        os.mkdir(self.data)
        self.servers = []

    def tearDown(self):
        for server in self.servers:
            if server.process.poll() is None:
                server.kill()
        shutil.rmtree(self.directory)

    def serve(self, *arguments, **options):
        self.servers.append(Server(self.data, *arguments, **options))
        return self.servers[-1]

    def path(self, name):
        return os.path.join(self.directory, name)
