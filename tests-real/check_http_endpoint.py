#!/usr/bin/env python3
"""Deliveries in Firehose's own protocol, sent by Hydrant: to VictoriaMetrics, which receives Firehose
by itself; to a strict receiver here that checks every header; and to a second Hydrant, which must
know a repeated delivery as one.

With --peers-only the deliveries come from here instead, to try the set-up.
"""
import math
import urllib.request

import deliveries
import firehose_receiver
import peers
import records

PATH = "/opentelemetry/v1/metrics"
ARN = "arn:aws:firehose:eu-west-1:111122223333:deliverystream/next"
ATTRIBUTES = {"env": "prod", "team": "blau \u00e4"}
# How records, requests and bodies are set; each must carry every point.
WAYS = [
    ("opentelemetry1.0", "opentelemetry1.0", {"compression": "gzip"}),
    ("opentelemetry1.0", "opentelemetry0.7", {"compression": "none", "record_size": "4KiB"}),
    ("json", "json", {"compression": "gzip", "request_size": "16KiB", "record_size": "16KiB"}),
]


def start(running, binary, sources, destination, **stream):
    """Hydrant behind a Firehose source; returns the URL to deliver to, and its admin URL."""
    port = peers.free_port()
    door = {"type": "firehose", "listen": f"127.0.0.1:{port}",
            "access_keys": [deliveries.KEY], **sources}
    streams = {"next": {"source": "aws", "destination": destination, **stream}}
    _, admin, _ = running.hydrant_with(binary, {"aws": door}, streams)
    return f"http://127.0.0.1:{port}/", admin


def http_endpoint(url, **more):
    return {"type": "http_endpoint", "url": url, "access_key": deliveries.KEY, **more}


def metric(admin, name, *labels):
    """Sum of a metric's series that carry these labels."""
    lines = peers.get(admin + "/metrics").decode().splitlines()
    mine = [line for line in lines if line.startswith(name + "{") or line.startswith(name + " ")]
    mine = [line for line in mine if all(label in line for label in labels)]
    return sum(float(line.rsplit(" ", 1)[-1]) for line in mine)


def delivered(admin, sent, what):
    peers.wait_until(
        f"{what}: Hydrant counts {len(sent)} points as delivered",
        lambda: metric(admin, "hydrant_stream_points_total", 'outcome="delivered"') == len(sent))


def check_strict(binary, sent, came_in, output_format, way):
    """Every header and member; an answer that is lost makes a repeat with the same id."""
    with peers.Running() as running:
        receiver = firehose_receiver.Receiver(running, ARN, ATTRIBUTES)
        receiver.lose = 1
        what = ", ".join([output_format, *way.values()])
        destination = http_endpoint(receiver.url, format=output_format, source_arn=ARN,
                                    common_attributes=ATTRIBUTES, **way)
        door, admin = start(running, binary, {}, destination)
        deliveries.deliver_all(door, sent, came_in)
        delivered(admin, sent, what)
        if receiver.faults:
            raise SystemExit(f"FAILED: {what}: {sorted(set(receiver.faults))[:5]}")
        if receiver.repeats < 1:
            raise SystemExit(f"FAILED: {what}: the lost answer made no repeat with the same id")
        found = records.sets_of(receiver.records(), output_format)
        deliveries.same_points(sent, found, f"{what}, to a strict receiver")


def check_chain(binary, sent, output_format, way):
    """Two Hydrants: what the first sends, the second takes, and knows again."""
    with peers.Running() as running:
        backend, requests = running.otlp_sink()
        second, second_admin = start(running, binary, {}, {"type": "otlp", "endpoint": backend})
        lost = {"left": 2}

        # Between them: hands on every delivery, and loses the first two answers.
        def between(path, headers, body):
            named = {k: v for k, v in headers.items()
                     if k.lower().startswith("x-amz") or k.lower() == "content-type"}
            request = urllib.request.Request(second + path.lstrip("/"), data=body, headers=named)
            with urllib.request.urlopen(request, timeout=30) as response:
                answer = response.read()
            if lost["left"] > 0:
                lost["left"] -= 1
                return 503, "text/plain", b"lost on the way"
            return 200, "application/json", answer

        destination = http_endpoint(running.serve(between), format=output_format, **way)
        door, admin = start(running, binary, {}, destination)
        what = f"{output_format}, through two Hydrants"
        deliveries.deliver_all(door, sent, output_format)
        delivered(admin, sent, what)
        peers.wait_until(f"{what}: the second has sent it all on",
                         lambda: len(deliveries.merged(requests)[0]) >= len(sent))
        sets, repeats = deliveries.merged(requests)
        deliveries.same_points(sent, sets, what)
        if repeats:
            raise SystemExit(f"FAILED: {what}: {repeats} values came twice")
        known = metric(second_admin, "hydrant_source_repeats_total")
        if known < 1:
            raise SystemExit(f"FAILED: {what}: no delivery was known as a repeat")
        print(f"ok: {what}: {known:.0f} repeated deliveries were known as such")


def check_victoria_metrics(binary, sent):
    """A third party's receiver: fed directly, and through Hydrant."""
    from check_victoriametrics import PRECISION, samples
    with peers.Running() as running:
        direct = running.victoria_metrics("vm-direct")
        through = running.victoria_metrics("vm-through")
        deliveries.deliver_all(direct + PATH, sent)
        if binary is None:
            deliveries.deliver_all(through + PATH, sent)
        else:
            destination = http_endpoint(through + PATH, record_size="8KiB", request_size="32KiB")
            door, admin = start(running, binary, {}, destination)
            deliveries.deliver_all(door, sent)
            delivered(admin, sent, "VictoriaMetrics")
        expected = samples(direct)
        peers.wait_until("VictoriaMetrics has got it all",
                         lambda: len(samples(through)) >= len(expected))
        got = samples(through)
        wrong = [key for key in expected.keys() | got.keys()
                 if not math.isclose(expected.get(key, math.nan), got.get(key, math.nan),
                                     rel_tol=PRECISION)]
        if len(expected) != 4 * len(sent) or wrong:
            raise SystemExit(f"FAILED: {len(wrong)} of {len(expected)} samples differ: {wrong[:2]}")
        print(f"ok: VictoriaMetrics holds the same {len(expected)} samples, fed by Firehose's "
              "protocol either way")


def main():
    peers.enter_venv()
    binary = peers.binary_from_arguments("check_http_endpoint.py")
    sent = deliveries.points(seed=6)
    check_victoria_metrics(binary, sent)
    if binary:
        with_percentiles = deliveries.points(seed=7, percentiles=True)
        for way in WAYS:
            check_strict(binary, with_percentiles, *way)
        check_chain(binary, with_percentiles, "opentelemetry1.0", {"compression": "gzip"})
        check_chain(binary, with_percentiles, "json", {"compression": "none"})


if __name__ == "__main__":
    main()
