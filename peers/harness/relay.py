"""The rows: what relaying costs, peer beside Hydrant, in alternation."""

import json
import statistics
import subprocess
import time
import urllib.request

from . import load, peers
from .install import say
from .places import PEERS, PYTHON, WORK

ROWS = {
    "otlp": [peers.HydrantOtlp, peers.HydrantOtlpPlain, peers.Collector, peers.CollectorDurable],
    "remote-write": [
        peers.HydrantRemoteWrite,
        peers.Vmagent,
        peers.VictoriaMetrics,
        peers.CollectorRemoteWrite,
    ],
    "dynatrace": [peers.HydrantDynatrace, peers.HydrantDynatracePlain, peers.Telegraf],
}
# The recipe of a row, and which Hydrant of the row it is compared with.
RECIPES = {
    "otlp": ("otlp.py", "Python recipe, OTel 1.0", peers.HydrantOtlpPlain.name),
    "dynatrace": ("otlp_json.py", "Python recipe, JSON", peers.HydrantDynatrace.name),
}
# How its defaults do, told without timing: they lose too much to time the rest.
FIDELITY_ONLY = {"dynatrace": [peers.TelegrafDefaults]}
FORMATS = {"otlp": "otel10", "remote-write": "otel10", "dynatrace": "json"}
# Metrics of a delivery: 1 MiB of gzip.
DELIVERY = 13_000
# A load that every peer of every row holds on this kind of machine.
FIXED_LOAD = 20_000


def row(name, options):
    """Measures a row; gives a dictionary by peer."""
    form = FORMATS[name]
    pool = load.pool("relay", form, options.deliveries, DELIVERY)
    found = {}
    for cls in ROWS[name] + FIDELITY_ONLY.get(name, []):
        found[cls.name] = {"title": cls.title, "fidelity": fidelity(cls, pool, options), "rounds": []}
    for number in range(options.rounds):
        # Begins with another one each time, so that none is always measured first.
        turn = number % len(ROWS[name])
        for cls in ROWS[name][turn:] + ROWS[name][:turn]:
            say(f"{name}, round {number + 1}: {cls.title}")
            found[cls.name]["rounds"].append(measured(cls, pool, options))
        if name in RECIPES:
            script, title, beside = RECIPES[name]
            entry = found.setdefault(script, {"title": title, "beside": beside, "fidelity": None, "rounds": []})
            say(f"{name}, round {number + 1}: {title}")
            entry["rounds"].append(recipe(script, pool, options))
    return {"format": form, "delivery_bytes": pool.told["bytes_per_delivery"], "peers": found}


def fidelity(cls, pool, options):
    """Every delivery once, nothing else going on: do all points come, with all dimensions?"""
    peer, work = cls(), peers.fresh(WORK / "fidelity")
    if cls.to == peers.STORED:
        return stored_fidelity(peer, work, pool, options)
    sink = load.Sink(work)
    sink.up("intact", pool.directory)
    try:
        peer.start(work, sink, options.hydrant)
        # One at a time and slowly: this is about what comes, not how fast.
        told = load.send(pool, peer, connections=1, rate=FIXED_LOAD)
        sink.settle(told["metrics"] * peer.units, quiet=15)
        stats = sink.stats()
        intact = dict(stats["intact_units"])[peer.units] / peer.units
        return {
            "acknowledged": told["metrics"],
            "arrived": stats["units"] / peer.units,
            "intact": intact,
            "share": intact / pool.total,
            "wire_bytes_per_metric": stats["wire_bytes"] / pool.total,
            "encodings": stats["encodings"],
        }
    finally:
        peer.process.stop()
        sink.down()


def stored_fidelity(peer, work, pool, options):
    """A store has no sink: its series are counted."""
    peer.start(work, load.Sink(work), options.hydrant)
    try:
        told = load.send(pool, peer, connections=1, rate=FIXED_LOAD)
        time.sleep(3)
        base = f"http://127.0.0.1:{peer.port}"
        urllib.request.urlopen(f"{base}/internal/force_flush", timeout=60).close()
        with urllib.request.urlopen(f"{base}/api/v1/series/count?start=-1h", timeout=60) as answer:
            series = json.load(answer)["data"][0]
    finally:
        peer.process.stop()
    expected = pool.told["series"] * peer.units
    return {"acknowledged": told["metrics"], "series": series, "share": min(1, series / expected)}


def measured(cls, pool, options):
    """One round of one peer: a batch as fast as it takes it, then a fixed load."""
    peer, work = cls(), peers.fresh(WORK / "relay")
    sink = load.Sink(work)
    sink.up("count")
    try:
        peer.start(work, sink, options.hydrant)
        # The series are known to it, its caches are warm: what a long-lived process costs.
        load.send(pool, peer, connections=1, count=min(4, options.deliveries))
        arrive(peer, sink, min(4, options.deliveries) * DELIVERY)
        sink.reset()
        cpu, begun = peer.process.cpu(), time.monotonic()
        batch = load.send(pool, peer, connections=4, count=options.batch)
        ended = arrive(peer, sink, batch["metrics"])
        cpu = peer.process.cpu() - cpu
        stats = sink.stats()
        before = peer.process.cpu()
        paced = load.send(
            pool, peer, connections=8, rate=FIXED_LOAD, **{"for": options.latency_seconds}
        )
        arrive(peer, sink, batch["metrics"] + paced["metrics"])
        paced_cpu = peer.process.cpu() - before
        return {
            "cpu_per_million": per_million(cpu, batch["metrics"]),
            "paced_cpu_per_million": per_million(paced_cpu, paced["metrics"]),
            "metrics_per_second": batch["metrics"] / (ended - begun),
            "acknowledged": batch["metrics"],
            "arrived": stats["units"] / peer.units,
            "peak_mib": peer.process.peak_mib,
            "anonymous_mib": peer.process.anonymous_mib,
            "times_ms": paced["times_ms"],
            "not_taken": paced["refused"] + paced["failed"] + batch["refused"] + batch["failed"],
        }
    finally:
        peer.process.stop()
        sink.down()


def per_million(cpu, metrics):
    return cpu / metrics * 1e6 if metrics else None


def arrive(peer, sink, metrics):
    """Until all that was acknowledged has come, or been stored; gives the time of that."""
    if peer.to == peers.STORED:
        time.sleep(2)
        return time.monotonic() - 2
    return sink.settle(metrics * peer.units, quiet=12)


def recipe(script, pool, options):
    work = peers.fresh(WORK / "recipe")
    sink = load.Sink(work)
    sink.up("count")
    objects = pool.objects()[: max(4, options.deliveries // 4)]
    try:
        command = [PYTHON, PEERS / "recipes" / script, f"{sink.url}/v1/metrics", *objects]
        told = json.loads(subprocess.check_output([str(word) for word in command]))
    finally:
        sink.down()
    metrics = len(objects) * DELIVERY
    return {
        "cpu_per_million": told["cpu"] / metrics * 1e6,
        "metrics_per_second": metrics / told["seconds"],
        "peak_mib": told["peak_mib"],
        "anonymous_mib": None,
        "times_ms": [],
        "not_taken": 0,
    }


def throughput(options):
    """How much Hydrant takes and passes on when generator and sink share its cores."""
    found = {}
    for cls, form in [(peers.HydrantOtlp, "otel10"), (peers.HydrantDynatrace, "otel10")]:
        pool = load.pool("throughput", form, 16, DELIVERY)
        rates = []
        for number in range(options.rounds):
            say(f"throughput, round {number + 1}: {cls.name}")
            peer, work = cls(), peers.fresh(WORK / "throughput")
            sink = load.Sink(work)
            sink.up("count")
            try:
                peer.start(work, sink, options.hydrant)
                begun = time.monotonic()
                told = load.send(pool, peer, connections=4, count=options.burst)
                ended = sink.settle(told["metrics"], quiet=10)
                rates.append(
                    {
                        "acknowledged_per_second": told["metrics"] / told["seconds"],
                        "delivered_per_second": told["metrics"] / (ended - begun),
                        "peak_mib": peer.process.peak_mib,
                    }
                )
            finally:
                peer.process.stop()
                sink.down()
        found[cls.name] = rates
    return found


def formats(options):
    """One delivery of each format to each peer: what it answers, and what comes of it."""
    classes = [
        peers.HydrantOtlp,
        peers.HydrantRemoteWrite,
        peers.HydrantDynatrace,
        peers.Collector,
        peers.Vmagent,
        peers.Telegraf,
    ]
    found = {}
    for form in ("otel10", "otel07", "json"):
        pool = load.pool("formats", form, 1, DELIVERY)
        for cls in classes:
            say(f"formats, {form}: {cls.title}")
            found.setdefault(cls.name, {"title": cls.title})[form] = one_format(cls, form, pool, options)
    return found


def one_format(cls, form, pool, options):
    peer, work = cls(), peers.fresh(WORK / "formats")
    if form == "json":
        peer.encoding = "json"
    sink = load.Sink(work)
    sink.up("intact", pool.directory)
    try:
        peer.start(work, sink, options.hydrant)
        told = load.send(pool, peer, connections=1)
        sink.settle(pool.total * peer.units, quiet=4)
        stats = sink.stats()
        intact = dict(stats["intact_units"])[peer.units] / peer.units
        return {
            "taken": told["acknowledged"] == 1,
            "said": told["said"][:200],
            "arrived": stats["units"] / peer.units / pool.total,
            "intact": intact / pool.total,
        }
    finally:
        peer.process.stop()
        sink.down()


def median(values):
    values = [value for value in values if value is not None]
    return statistics.median(values) if values else None
