#!/usr/bin/env python3
"""What Hydrant sends over OTLP, read by opentelemetry-proto: directly in every expression and
encoding, and through a real OTLP receiver (an OpenTelemetry Collector, else rotel).

With --peers-only the requests come from here instead, to try the set-up.
"""
import os
import subprocess
import urllib.request

import deliveries
import peers

PROTOBUF, JSON = {"protocol": "http/protobuf"}, {"protocol": "http/json"}
GZIP, PLAIN, ZSTD = {"compression": "gzip"}, {"compression": "none"}, {"compression": "zstd"}
SUMMARY, GAUGES = {"points": "summary"}, {"points": "gauges"}
HISTOGRAM = {"points": "delta_histogram"}

# Format of the records, and how the destination is set.
WAYS = [
    ("opentelemetry1.0", {**PROTOBUF, **GZIP, **SUMMARY}),
    ("opentelemetry1.0", {**PROTOBUF, **PLAIN, **GAUGES}),
    ("opentelemetry1.0", {**PROTOBUF, **GZIP, **HISTOGRAM}),
    ("opentelemetry1.0", {**JSON, **GZIP, **SUMMARY}),
    ("opentelemetry0.7", {**JSON, **PLAIN, **GAUGES}),
    ("opentelemetry0.7", {**PROTOBUF, **GZIP, **SUMMARY}),
    ("json", {**JSON, **PLAIN, **HISTOGRAM}),
    ("json", {**PROTOBUF, **GZIP, **SUMMARY}),
]


def complete(requests, sent):
    sets, _ = deliveries.merged(requests)
    return len(sets) >= len(sent) and all(None not in values[:4] for values in sets.values())


def send_from_here(url, sent):
    for at in range(0, len(sent), 100):
        body = deliveries.request_of(sent[at:at + 100]).SerializeToString()
        headers = {"Content-Type": "application/x-protobuf"}
        request = urllib.request.Request(url + "/v1/metrics", data=body, headers=headers)
        urllib.request.urlopen(request, timeout=30).read()


def judged(request, encoding):
    """How many points the receiver finds that judges Hydrant in its own tests and in the demo."""
    from google.protobuf import json_format
    if encoding == "json":
        body = json_format.MessageToJson(request, use_integers_for_enums=True).encode()
    else:
        body = request.SerializeToString()
    command = ["cargo", "run", "--quiet", "--package", "rehearsal", "--example", "otlp", encoding]
    done = subprocess.run(command, input=body, capture_output=True, cwd=peers.HERE.parent,
                          check=False)
    said = done.stdout.decode().strip()
    if done.returncode != 0:
        raise SystemExit(f"FAILED: the judge refuses {encoding}: {said or done.stderr[-500:]}")
    return int(said)


def check_judge(sent):
    """Requests of opentelemetry-proto in both encodings are taken by our receiver."""
    for encoding in ("protobuf", "json"):
        found = judged(deliveries.request_of(sent), encoding)
        if found != len(sent):
            raise SystemExit(f"FAILED: the judge finds {found} of {len(sent)} points in {encoding}")
    print(f"ok: our receiver takes {len(sent)} points of opentelemetry-proto in both encodings")


def check(binary, sent, output_format, way, through_collector):
    with peers.Running() as running:
        url, requests = running.otlp_sink()
        what = ", ".join([output_format, *way.values()])
        if through_collector:
            url, name = running.collector(url)
            what += f", through {name}"
        if binary is None:
            send_from_here(url, sent)
        else:
            door = running.hydrant(binary, {"type": "otlp", "endpoint": url, **way})
            deliveries.deliver_all(door, sent, output_format)
        peers.wait_until(f"{what}: all arrives", lambda: complete(requests, sent))
        sets, repeats = deliveries.merged(requests)
        # A histogram has no place for a percentile.
        deliveries.same_points(sent, sets, what, percentiles=way["points"] != "delta_histogram")
        if repeats:
            raise SystemExit(f"FAILED: {what}: {repeats} values came twice")


def main():
    peers.enter_venv()
    binary = peers.binary_from_arguments("check_otlp.py")
    sent = deliveries.points(seed=2, percentiles=True)
    check_judge(sent)
    # The stand-in of selftest.sh knows one format only.
    formats = os.environ.get("CHECK_FORMATS", ",".join(deliveries.FORMATS)).split(",")
    ways = [way for way in WAYS if way[0] in formats]
    for output_format, way in ways if binary else ways[:1]:
        check(binary, sent, output_format, way, through_collector=False)
    check(binary, sent, *WAYS[0], through_collector=True)
    if binary and (peers.TOOLS / "otelc" / "otelc").exists():
        check(binary, sent, "opentelemetry1.0", {**PROTOBUF, **ZSTD, **SUMMARY}, True)


main()
