#!/usr/bin/env python3
"""Dynatrace's own metric utilities as a witness for what Hydrant and its receiver say of MINT.

1. Lines that those utilities write are taken by the receiver that judges Hydrant in tests and demo.
2. Keys and dimensions that Hydrant sends are not changed by their normalisation, and every point
   that went in comes out once, with its values.

With --peers-only only the first part is done.
"""
import subprocess
import time

import deliveries
import peers

TOKEN = "dt0c01.ABCDEFGHIJKLMNOPQRSTUVWX." + "A" * 64
# Published vectors of the normalisation and some of our own, as names of metrics and dimensions.
NAMES = ["1case", "~0#key", "a..b", "m\u00c4tric", "a,,,b  c=d\\e\\ =,f", "metric.key-number-1.001",
         "a.0b", "Dim", "\u00e4ABC", "---dim", "0Tag", "a b", "dim.0dim", "000", "\u00e4_\u00e4tag",
         "cloud.aws.ec2.cpuUtilizationByAccountIdRegion", "x" * 300, "a.-b", "a._b-c"]
VALUES = ["plain", "a b", "a=b,c", "quote\"d", "back\\slash", "\\", "\u00e4\u00f6", "tab\there",
          "new\nline", "=" * 400, "x" * 400, "a\\\\\"b", " ", "emoji \U0001f600"]


def judge(lines, now_ms):
    """The verdicts of the receiver."""
    command = ["cargo", "run", "--quiet", "--package", "rehearsal", "--example", "mint", str(now_ms)]
    done = subprocess.run(command, input="\n".join(lines), capture_output=True, text=True,
                          cwd=peers.HERE.parent, check=False)
    if done.returncode != 0:
        raise SystemExit(f"FAILED: the judge did not run: {done.stderr[-500:]}")
    return done.stdout.splitlines()


def check_their_lines():
    from dynatrace.metric.utils.dynatrace_metrics_factory import DynatraceMetricsFactory
    from dynatrace.metric.utils.dynatrace_metrics_serializer import DynatraceMetricsSerializer
    make = DynatraceMetricsFactory()
    write = DynatraceMetricsSerializer(enrich_with_dynatrace_metadata=False)
    now_ms = int(time.time() * 1000)
    lines = []
    for name in NAMES:
        lines.append(write.serialize(make.create_int_gauge("abc", 1, {name: "x"}, now_ms)))
        key = write.serialize(make.create_float_gauge(name, 1.5, None, now_ms))
        if len(key.split(" ")[0]) >= 3:  # the utilities do not know the shortest length
            lines.append(key)
    for value in VALUES:
        lines.append(write.serialize(make.create_int_gauge("abc", 1, {"d": value}, now_ms)))
    lines.append(write.serialize(make.create_float_summary("abc", 0.5, 9.25, 12.5, 3, {}, now_ms)))
    lines.append(write.serialize(make.create_int_counter_delta("abc", 3, {}, now_ms)))
    verdicts = judge(lines, now_ms)
    refused = [(line, v) for line, v in zip(lines, verdicts, strict=True) if v != "ok"]
    for line, verdict in refused[:5]:
        print(f"  {verdict}: {line[:200]}")
    if refused:
        raise SystemExit(f"FAILED: {len(refused)} of {len(lines)} lines of Dynatrace's utilities "
                         "are refused")
    print(f"ok: {len(lines)} lines of Dynatrace's own utilities are taken")


def parse(line):
    """Key, dimensions, fields and time of a line; strict enough for lines known to be valid."""
    head, rest = [], line
    key_end = min(i for i in (rest.find(","), rest.find(" ")) if i >= 0)
    key, rest = rest[:key_end], rest[key_end:]
    dimensions = {}
    while rest.startswith(","):
        name, rest = rest[1:].split("=", 1)
        value, at = [], 0
        if rest.startswith('"'):
            at = 1
            while rest[at] != '"':
                at += rest[at] == "\\"
                value.append(rest[at])
                at += 1
            at += 1
        else:
            while rest[at] not in ", ":
                at += rest[at] == "\\"
                value.append(rest[at])
                at += 1
        assert name not in dimensions, line
        dimensions[name] = "".join(value)
        rest = rest[at:]
    payload, _, at_ms = rest.strip().partition(" ")
    head = payload.split(",")
    assert head[0] == "gauge", line
    fields = dict(field.split("=") for field in head[1:])
    return key, dimensions, {k: float(v) for k, v in fields.items()}, int(at_ms)


def normalised_dimensions(point, normalize):
    wanted = {"aws.account.id": point.account, "aws.region": point.region}
    for name, value in point.dimensions.items():
        wanted[normalize.normalize_dimension_key(name)] = value
    return wanted


def check_our_lines(binary):
    from dynatrace.metric.utils._normalize import Normalize
    normalize = Normalize()
    sent = deliveries.points(seed=3)
    lines = []

    def answer(path, headers, body):
        if path != "/api/v2/metrics/ingest" or headers["Authorization"] != f"Api-Token {TOKEN}":
            return 404, "text/plain", b"not found"
        new = body.decode().rstrip("\n").split("\n")
        lines.extend(new)
        verdict = f'{{"linesOk":{len(new)},"linesInvalid":0,"error":null,"warnings":null}}'
        return 202, "application/json", verdict.encode()

    with peers.Running() as running:
        url = running.serve(answer)
        door = running.hydrant(binary, {"type": "dynatrace", "url": url, "api_token": TOKEN})
        deliveries.deliver_all(door, sent)

        def data():
            return [line for line in lines if not line.startswith("#")]

        peers.wait_until("all lines arrive", lambda: len(data()) >= len(sent))
        verdicts = judge(lines, int(time.time() * 1000))
        refused = [(line, v) for line, v in zip(lines, verdicts, strict=True) if v != "ok"]
        assert not refused, refused[:3]
        wanted = {}
        for point in sent:
            dimensions = normalised_dimensions(point, normalize)
            identity = (tuple(sorted(dimensions.items())), point.start_ns // 10**6)
            wanted.setdefault(identity, []).append(point)
        for line in data():
            key, dimensions, fields, at_ms = parse(line)
            assert normalize.normalize_metric_key(key) == key, line
            assert key.startswith("cloud.aws."), line
            for name, value in dimensions.items():
                assert normalize.normalize_dimension_key(name) == name, line
                assert normalize.normalize_dimension_value(value) == value, line
            own = {k: v for k, v in dimensions.items() if not k.startswith("dt.")}
            candidates = wanted.get((tuple(sorted(own.items())), at_ms), [])
            found = next((p for p in candidates if all(
                abs(a - b) <= 1e-6 * max(1.0, abs(b)) for a, b in zip(
                    (fields["min"], fields["max"], fields["sum"], fields["count"]), p.values()[:4]))),
                None)
            assert found is not None, f"unexpected or altered: {line}"
            candidates.remove(found)
        left = sum(map(len, wanted.values()))
        assert left == 0, f"{left} points are missing"
    print(f"ok: {len(sent)} points in {len(lines)} lines, all there, none changed by Dynatrace's "
          "normalisation")


def main():
    peers.enter_venv()
    binary = peers.binary_from_arguments("check_mint.py")
    check_their_lines()
    if binary is not None:
        check_our_lines(binary)


main()
