"""The load tool: pools of deliveries, the sender, and the sink."""

import json
import subprocess
import time
import urllib.request

from .places import KEY, LOAD, POOLS
from .process import Process, free_port


def pool(name, form, deliveries, metrics):
    """Makes a pool anew: its instants are of the last minutes."""
    directory = POOLS / name
    command = [LOAD, "generate", "--directory", directory, "--format", form]
    command += ["--deliveries", deliveries, "--metrics", metrics]
    told = json.loads(subprocess.check_output([str(word) for word in command]))
    return Pool(directory, told)


class Pool:
    def __init__(self, directory, told):
        self.directory, self.told = directory, told
        listed = json.loads((directory / "pool.json").read_text())["deliveries"]
        self.metrics = {delivery["second"]: delivery["metrics"] for delivery in listed}
        self.total = sum(self.metrics.values())

    def objects(self):
        return sorted(self.directory.glob("*.records"))


class Sink:
    """The receiver of what a peer sends on. Its address is known before it is up."""

    def __init__(self, work):
        self.port, self.work, self.process = free_port(), work, None
        self.url = f"http://127.0.0.1:{self.port}"

    def up(self, check, directory=None):
        command = [LOAD, "sink", "--listen", f"127.0.0.1:{self.port}", "--check", check]
        if directory:
            command += ["--directory", directory]
        self.process = Process(command, self.work / "sink.log")
        self.process.wait_for_port(self.port)

    def down(self):
        if self.process:
            self.process.kill()
            self.process = None

    def stats(self):
        with urllib.request.urlopen(f"{self.url}/stats", timeout=60) as answer:
            return json.load(answer)

    def reset(self):
        urllib.request.urlopen(f"{self.url}/reset", timeout=60, data=b"").close()

    def settle(self, units, quiet, limit=180):
        """Waits until that many units came, or none came for so long. Gives the time of the last.

        A sink that tells them apart does not count one that comes again."""
        count, changed = -1, time.monotonic()
        begun = changed
        while True:
            stats = self.stats()
            if stats["units"] != count:
                count, changed = stats["units"], time.monotonic()
            over = time.monotonic() - changed > quiet or time.monotonic() - begun > limit
            if over or stats.get("distinct", count) >= units:
                return changed
            time.sleep(0.05)


class Sender:
    """A sender at work; `result` waits for its end."""

    def __init__(self, pool, peer, acks=None, **options):
        command = [LOAD, "send", "--directory", pool.directory, "--to", f"127.0.0.1:{peer.port}"]
        command += ["--path", peer.path, "--encoding", peer.content_encoding, "--key", KEY]
        if acks:
            command += ["--acks", acks]
        for name, value in options.items():
            command += [f"--{name}", value]
        words = [str(word) for word in command]
        self.child = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def result(self):
        out, error = self.child.communicate()
        if self.child.returncode != 0:
            raise RuntimeError(error.decode())
        told = json.loads(out)
        told["said"] = error.decode().strip()
        return told


def send(pool, peer, acks=None, **options):
    return Sender(pool, peer, acks, **options).result()


def quantile(values, share):
    values = sorted(values)
    return values[round((len(values) - 1) * share)] if values else float("nan")
