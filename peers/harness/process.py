"""A process under measurement."""

import os
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Process:
    """Started on creation; its output goes to a file. Memory is watched while it lives."""

    def __init__(self, command, log, cwd=None):
        self.log = Path(log)
        self.file = open(self.log, "ab")
        self.child = subprocess.Popen(
            [str(word) for word in command],
            stdin=subprocess.DEVNULL,
            stdout=self.file,
            stderr=self.file,
            cwd=cwd,
        )
        self.pid = self.child.pid
        self.anonymous_mib = self.peak_mib = 0.0
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self):
        while self.child.poll() is None:
            memory = self.memory()
            self.peak_mib = max(self.peak_mib, memory.get("VmHWM", 0.0))
            self.anonymous_mib = max(self.anonymous_mib, memory.get("RssAnon", 0.0))
            time.sleep(0.1)

    def memory(self):
        """The lines of /proc that count kB, in MiB."""
        try:
            lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        except OSError:
            return {}
        pairs = (line.split(":", 1) for line in lines if line.endswith(" kB"))
        return {name: int(value.split()[0]) / 1024 for name, value in pairs}

    def cpu(self):
        """CPU-seconds of all threads so far, user and system, to the nanosecond."""
        # The clock of a process by its id, as clock_getcpuclockid(3) makes it.
        return time.clock_gettime((~self.pid << 3) | 2)

    def wait_for_port(self, port, seconds=60):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.child.poll() is not None:
                break
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            except OSError:
                time.sleep(0.05)
        tail = self.log.read_text(errors="replace")[-2000:]
        raise RuntimeError(f"nothing listens on {port}; its log ends with:\n{tail}")

    def signal(self, number):
        os.kill(self.pid, number)

    def kill(self):
        """As a crash: no chance to write anything."""
        if self.child.poll() is None:
            self.signal(signal.SIGKILL)
        self.child.wait()
        self.file.close()

    def stop(self):
        if self.child.poll() is None:
            self.signal(signal.SIGTERM)
            try:
                self.child.wait(10)
            except subprocess.TimeoutExpired:
                pass
        self.kill()


def disk_mib(path):
    """What a folder takes on disk."""
    total = 0
    for folder, _folders, files in os.walk(path):
        for name in files:
            try:
                total += os.stat(os.path.join(folder, name)).st_blocks * 512
            except OSError:
                pass
    return total / 1024 / 1024
