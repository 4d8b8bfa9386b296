#!/usr/bin/env python3
"""VictoriaMetrics receives Firehose deliveries by itself. It gets them once directly and once
through Hydrant as OTLP; both must then hold the same samples.

With --peers-only the second one gets the OTLP requests from here instead, to try the set-up.
"""
import json
import math
import urllib.request

import deliveries
import peers

PATH = "/opentelemetry/v1/metrics"

# VictoriaMetrics keeps a block of samples as whole numbers times a common power of ten, so the
# last digits depend on which samples share a block. check_otlp.py compares to the bit.
PRECISION = 1e-9


def samples(base):
    """Everything a VictoriaMetrics holds: (labels, timestamp) to value."""
    peers.get(base + "/internal/force_flush")
    text = peers.get(base + "/api/v1/export?match[]={__name__!=%22%22}").decode()
    found = {}
    for line in text.splitlines():
        row = json.loads(line)
        labels = row["metric"]
        for at, value in zip(row["timestamps"], row["values"]):
            found[(tuple(sorted(labels.items())), at)] = value
    return found


def restricted(found, names):
    """Without labels that only the way through Hydrant adds."""
    return {(tuple(pair for pair in labels if pair[0] in names), at): value
            for (labels, at), value in found.items()}


def post_otlp(base, chosen):
    for at in range(0, len(chosen), 100):
        body = deliveries.request_of(chosen[at:at + 100]).SerializeToString()
        request = urllib.request.Request(
            base + PATH, data=body, headers={"Content-Type": "application/x-protobuf"})
        urllib.request.urlopen(request, timeout=30).read()


def main():
    peers.enter_venv()
    binary = peers.binary_from_arguments("check_victoriametrics.py")
    sent = deliveries.points(seed=1)
    with peers.Running() as running:
        direct = running.victoria_metrics("vm-direct")
        through = running.victoria_metrics("vm-through")
        deliveries.deliver_all(direct + PATH, sent)
        if binary is None:
            post_otlp(through, sent)
        else:
            url = running.hydrant(binary, {"type": "otlp", "endpoint": through + PATH})
            deliveries.deliver_all(url, sent)
        expected = samples(direct)
        names = {name for labels, _ in expected for name, _ in labels}
        # A summary is four series: quantile 0 and 1, sum and count.
        if len(expected) != 4 * len(sent):
            raise SystemExit(f"FAILED: the reference holds {len(expected)} samples of "
                             f"{len(sent)} points")
        peers.wait_until("VictoriaMetrics has got it all through Hydrant",
                         lambda: len(samples(through)) >= len(expected))
        got = restricted(samples(through), names)
        missing, extra = expected.keys() - got.keys(), got.keys() - expected.keys()
        altered = {key for key in expected.keys() & got.keys()
                   if not math.isclose(expected[key], got[key], rel_tol=PRECISION)}
        for key in [*list(missing)[:2], *list(extra)[:2], *list(altered)[:2]]:
            print("  differs:", key, expected.get(key), got.get(key))
        if missing or extra or altered:
            raise SystemExit(f"FAILED: {len(missing)} missing, {len(extra)} unexpected, "
                             f"{len(altered)} altered of {len(expected)} samples")
        print(f"ok: VictoriaMetrics holds the same {len(expected)} samples either way")


if __name__ == "__main__":
    main()
