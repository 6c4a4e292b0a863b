"""`tripos serve` on free ports over a directory of its own, for a benchmark's stages."""

import os
import signal
import subprocess
import urllib.parse
import urllib.request


class Server:
    def __init__(self, program, directory, *arguments, configuration=""):
        self.program = program
        self.directory = directory
        os.makedirs(directory, exist_ok=True)
        with open(f"{directory}.toml", "w") as file:
            file.write(configuration)
        anywhere = ["--kafka", "127.0.0.1:0", "--http", "127.0.0.1:0"]
        command = [program, "--config", file.name, "serve", "--data", directory, *anywhere, *arguments]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.addresses = {}
        while "http" not in self.addresses:
            line = self.process.stdout.readline()
            if not line:
                raise SystemExit("tripos serve ended before it said its addresses")
            name, _, address = line.strip().partition(" ")
            self.addresses[name] = address.strip()

    @property
    def pid(self):
        return self.process.pid

    def request(self, method, path, body=None, **parameters):
        url = f"http://{self.addresses['http']}{path}"
        if parameters:
            url += "?" + urllib.parse.urlencode(parameters)
        with urllib.request.urlopen(urllib.request.Request(url, data=body, method=method), timeout=3600) as answer:
            return answer.read().decode()

    def sql(self, statement):
        return self.request("POST", "/v1/sql", statement.encode())

    def command(self, *arguments):
        return [self.program, *arguments, "--data", self.directory]

    def bytes_stored(self, suffix):
        return sum(
            os.path.getsize(os.path.join(folder, name))
            for folder, _, names in os.walk(self.directory)
            for name in names
            if name.endswith(suffix)
        )

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=60)
        self.process.stdout.close()
