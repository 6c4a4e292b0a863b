"""A Tripos of a judge's own, on an address that it keeps, for what must not happen to the others' server: kill -9."""

import os
import shutil
import subprocess
import tempfile

from apache_kafka import free_ports


class OwnServer:
    def __init__(self, settings=None):
        """The program is TRIPOS_PROGRAM; `settings` are the broker's."""
        self.settings = {"group.initial.rebalance.delay.ms": "100", **(settings or {})}
        self.directory = tempfile.mkdtemp(prefix="tripos-judge-")
        self.address = f"127.0.0.1:{free_ports(1)[0]}"
        self.start()

    def start(self):
        self.process = subprocess.Popen([os.environ["TRIPOS_PROGRAM"], "serve", "--data", os.path.join(self.directory, "data"), "--kafka",
                                         self.address, "--http", "127.0.0.1:0",
                                         *(word for key, value in self.settings.items() for word in ("--set", f"{key}={value}"))],
                                        stdout=subprocess.PIPE, text=True)
        if not any(line.startswith("kafka ") for line in self.process.stdout):
            raise RuntimeError("the server ended before it told its address")

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def remove(self):
        self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)
