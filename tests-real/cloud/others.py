"""The other clients: programs of the SDKs for JavaScript and Rust, which follow a plan, and the AWS
CLI. Each makes streams in every format, puts samples, looks at them and takes it all away again.
"""
import json
import os
import subprocess

import peers
from cloud import place as places
from cloud import samples
from cloud.boto_errors import WRONG_SECRET
from cloud.place import BUCKET, GUEST, OWNER, REGION, ROLE

JAVASCRIPT = peers.TOOLS / "javascript"
RUST = peers.TOOLS / "rust-sdk" / "debug" / "rust-sdk"
AWS = peers.TOOLS / "venv" / "bin" / "aws"


def needed():
    for path in (JAVASCRIPT / "node_modules" / "@aws-sdk" / "client-firehose", RUST, AWS):
        peers.need(path, "setup.sh")


def run(command, title, environment=None):
    done = subprocess.run([str(part) for part in command], capture_output=True, check=False,
                          env={**os.environ, **(environment or {})}, timeout=120)
    if done.returncode != 0:
        said = (done.stdout + done.stderr).decode(errors="replace").strip()
        raise SystemExit(f"FAILED: {title}:\n{said[-3000:]}")
    return done.stdout.decode()


def look_of(points):
    """What must be found of one metric."""
    orders = sorted((p.start_ns // 10**9, p.sum) for p in points if p.name == "Orders")
    return {"metric": "Orders", "start": orders[0][0], "end": orders[-1][0] + 60, "sums": orders,
            "metrics": sorted({(p.name, *p.dimensions.items()) for p in points})}


class Program:
    """A program of an SDK: it is run with a phase and a plan."""

    def __init__(self, place, name, command):
        self.name, self.command = name, command
        self.targets = places.Targets(place, name)
        datums = samples.data()
        self.points = samples.points(self.targets.namespace, datums)
        streams = [{"name": stream, "format": output_format, "arn": places.stream_arn(stream),
                    "destination": places.http_endpoint(url, places.bucket(f"{stream}/"))}
                   for stream, url, output_format in self.targets.streams]
        self.plan = place.running.path / f"{name}.json"
        self.plan.write_text(json.dumps({
            "endpoint": place.url, "region": REGION, "key": OWNER, "guest": GUEST,
            "wrong_secret": WRONG_SECRET, "role": ROLE, "bucket": BUCKET, "streams": streams,
            "namespace": self.targets.namespace, "percentile_of": samples.PERCENTILE_OF,
            "data": datums, "look": look_of(self.points)}))

    def phase(self, phase):
        run([*self.command, phase, self.plan], f"{self.name}: {phase}")

    def make(self):
        self.phase("make")

    def finish(self):
        self.targets.judge(self.points, self.name)
        self.phase("look")
        print(f"ok: {self.name}: what was put is found by metrics, statistics and data")
        self.phase("refusals")
        print(f"ok: {self.name}: refusals have their classes and codes")
        self.phase("clean")
        print(f"ok: {self.name}: what was made is gone again")


def programs(place):
    return [Program(place, "javascript", ["node", peers.HERE / "javascript" / "client.mjs",
                                          JAVASCRIPT]),
            Program(place, "rust", [RUST])]
