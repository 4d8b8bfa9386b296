"""`hydrant conform` against every peer, where the binary has that command."""

import subprocess

from . import load, peers
from .install import say
from .places import KEY, WORK

GRADED = [peers.HydrantOtlp, peers.Collector, peers.Vmagent, peers.VictoriaMetrics, peers.Telegraf]


def grade(options):
    help_text = subprocess.run([options.hydrant, "conform", "--help"], capture_output=True)
    if help_text.returncode != 0:
        say("this hydrant has no conform command yet")
        return None
    return {cls.name: one(cls, options) for cls in GRADED}


def one(cls, options):
    peer, work = cls(), peers.fresh(WORK / "conform")
    if peer.wire != "firehose":
        return {"title": cls.title, "table": None}
    sink = load.Sink(work)
    sink.up("count")
    try:
        peer.start(work, sink, options.hydrant)
        url = f"http://127.0.0.1:{peer.port}{peer.path}"
        command = [options.hydrant, "conform", url, "--access-key", KEY]
        done = subprocess.run(command, capture_output=True, text=True, timeout=600)
        return {"title": cls.title, "table": done.stdout, "code": done.returncode, "said": done.stderr}
    finally:
        peer.process.stop()
        sink.down()
