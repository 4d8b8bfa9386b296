#!/usr/bin/env python3
"""What Hydrant sends over OTLP, read by opentelemetry-proto: directly in every expression and
encoding, and through a real OTLP receiver (an OpenTelemetry Collector, else rotel).

With --peers-only the requests come from here instead, to try the set-up.
"""
import urllib.request

import peers

WAYS = [
    {"protocol": "http/protobuf", "compression": "gzip", "points": "summary"},
    {"protocol": "http/protobuf", "compression": "none", "points": "gauges"},
    {"protocol": "http/protobuf", "compression": "gzip", "points": "delta_histogram"},
    {"protocol": "http/json", "compression": "gzip", "points": "summary"},
    {"protocol": "http/json", "compression": "none", "points": "gauges"},
    {"protocol": "http/json", "compression": "none", "points": "delta_histogram"},
]


def merged(requests):
    from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2 as service
    whole = service.ExportMetricsServiceRequest()
    for request in list(requests):
        whole.resource_metrics.extend(request.resource_metrics)
    return peers.sets_of(whole)


def complete(requests, sent):
    sets, _ = merged(requests)
    return len(sets) >= len(sent) and all(None not in values for values in sets.values())


def send_from_here(url, sent):
    for at in range(0, len(sent), 100):
        body = peers.request_of(sent[at:at + 100]).SerializeToString()
        headers = {"Content-Type": "application/x-protobuf"}
        request = urllib.request.Request(url + "/v1/metrics", data=body, headers=headers)
        urllib.request.urlopen(request, timeout=30).read()


def check(binary, sent, way, through_collector):
    with peers.Running() as running:
        url, requests = running.otlp_sink()
        what = ", ".join(way.values())
        if through_collector:
            url, name = running.collector(url)
            what += f", through {name}"
        if binary is None:
            send_from_here(url, sent)
        else:
            door = running.hydrant(binary, {"type": "otlp", "endpoint": url, **way})
            peers.deliver_all(door, sent)
        peers.wait_until(f"{what}: all arrives", lambda: complete(requests, sent))
        sets, repeats = merged(requests)
        peers.same_points(sent, sets, what)
        if repeats:
            raise SystemExit(f"FAILED: {what}: {repeats} values came twice")


def main():
    peers.enter_venv()
    binary = peers.binary_from_arguments("check_otlp.py")
    sent = peers.points(seed=2)
    for way in WAYS if binary else WAYS[:1]:
        check(binary, sent, way, through_collector=False)
    check(binary, sent, WAYS[0], through_collector=True)


main()
