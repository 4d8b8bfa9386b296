#!/usr/bin/env python3
"""Tests the judge of check_cloud.py: what arrives as it was put passes, in every format; one point
that is dropped, altered or under another name makes it fail, and so does a wrong header.
"""
import contextlib
import io
import json
import os
import types

os.environ.setdefault("PEERS_WAIT_SECONDS", "1")

import deliveries  # noqa: E402
import peers  # noqa: E402
from cloud import place as places  # noqa: E402
from cloud import samples  # noqa: E402


def damage(points, fault):
    """The points as a faulty Hydrant would send them."""
    if fault == "drop":
        points.pop()
    elif fault == "alter":
        points[0].sum += 0.25
    elif fault == "rename":
        points[0].name += "_"
    return points


def send(targets, fault, output_format):
    """To both receivers of each format; the fault is only in the one format."""
    datums = samples.data(now=targets.now)
    for name, url, stream_format in targets.streams:
        wrong = fault if stream_format == output_format else ""
        points = damage(samples.points(targets.namespace, datums), wrong)
        if "-own-" in name:
            targets.place.arrived[stream_format].append(deliveries.request_of(points))
            continue
        attributes = {} if wrong == "header" else places.ATTRIBUTES
        status, answer = deliveries.deliver(
            url, deliveries.records_of(points, stream_format), **{
                "X-Amz-Firehose-Source-Arn": places.stream_arn(name),
                "X-Amz-Firehose-Common-Attributes":
                    json.dumps({"commonAttributes": attributes})})
        if status != 200:
            raise SystemExit(f"FAILED: the strict receiver answered {status}: {answer}")
    return samples.points(targets.namespace, datums)


def passes(fault, output_format):
    with peers.Running() as running:
        place = types.SimpleNamespace(running=running, own=dict.fromkeys(places.FORMATS, ""),
                                      arrived={name: [] for name in places.FORMATS})
        place.sets_by_own = types.MethodType(places.Place.sets_by_own, place)
        targets = places.Targets(place, "selftest")
        targets.now = 1_800_000_000
        expected = send(targets, fault, output_format)
        quiet = io.StringIO()
        try:
            with contextlib.redirect_stdout(quiet), contextlib.redirect_stderr(quiet):
                targets.judge(expected, "selftest")
        except SystemExit:
            return False
    return True


def main():
    peers.enter_venv()
    cases = [("", "json")] + [(fault, name) for name in places.FORMATS
                              for fault in ("drop", "alter", "rename", "header")]
    wrong = 0
    for fault, output_format in cases:
        got = passes(fault, output_format)
        if got == (not fault):
            print(f"ok: check_cloud's judge {'passes' if got else 'fails'} with fault "
                  f"'{fault or 'none'}' in {output_format}")
        else:
            print(f"FAILED: check_cloud's judge {'passes' if got else 'fails'} with fault "
                  f"'{fault or 'none'}' in {output_format}")
            wrong += 1
    raise SystemExit(1 if wrong else 0)


main()
