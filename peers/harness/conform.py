"""`hydrant conform` against every peer, where the binary has that command."""

import json
import subprocess

from . import load, peers
from .install import say
from .places import KEY, WORK

GRADED = [
    peers.HydrantOtlp,
    peers.Collector,
    peers.CollectorJson,
    peers.Vmagent,
    peers.VictoriaMetrics,
    peers.Telegraf,
]


def grade(options):
    help_text = subprocess.run([options.hydrant, "conform", "--help"], capture_output=True)
    if help_text.returncode != 0:
        say("this hydrant has no conform command yet")
        return None
    return {cls.name: one(cls, options) for cls in GRADED}


def one(cls, options):
    peer, work = cls(), peers.fresh(WORK / "conform")
    sink = load.Sink(work)
    sink.up("count")
    try:
        peer.start(work, sink, options.hydrant)
        url = f"http://127.0.0.1:{peer.port}{peer.path}"
        command = [options.hydrant, "conform", url, "--access-key", KEY, "--output", "json"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=600)
        told = json.loads(done.stdout)
        keep = ("name", "sends", "demands", "did", "verdict")
        cases = [{key: case[key] for key in keep} for case in told["cases"]]
        say(f"conform: {cls.title}: {told['counts']}")
        return {"title": cls.title, "code": done.returncode, "counts": told["counts"], "cases": cases}
    finally:
        peer.process.stop()
        sink.down()
