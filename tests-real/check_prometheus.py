#!/usr/bin/env python3
"""Remote write, judged by Prometheus, promtool and VictoriaMetrics: every point of every input
format arrives as the series that both namings say, with exact values and the start of its period;
nothing is lost when Prometheus is killed in between; what Prometheus refuses as out of order is in
the backup, and only that; the text of `inspect --output prometheus` and of /metrics is well-formed.

The names are made here once more, from the rules in docs/prometheus.md.

With --peers-only the samples are written from here instead, to try the set-up.
"""
import json
import math
import re
import signal
import struct
import subprocess
import time
import urllib.parse
import urllib.request

import deliveries
import peers

# VictoriaMetrics keeps a block of samples as whole numbers times one power of ten, so a small value
# beside a large one of its series loses digits.
VM_PRECISION = 1e-12
# Samples of one minute may come after those of the next: Prometheus takes them only if told so.
LATE = "30m"


# Names.

def snake(text):
    split = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", text)
    return re.sub(r"[^A-Za-z0-9_]", "_", split.replace("%", "_percent")).lower()


def yace_base(point):
    namespace = snake(point.namespace.lower()).removeprefix("_")
    name = snake(point.name)
    for part in namespace.split("_"):
        name = name.removeprefix(part)
    prefix = "" if namespace.startswith("aws") else "aws_"
    return f"{prefix}{namespace}_{name.removeprefix('_')}"


def yace(point):
    """(labels, value) of each series of a point."""
    labels = {"account_id": point.account, "region": point.region}
    for name, value in point.dimensions.items():
        labels["dimension_" + re.sub(r"[^A-Za-z0-9_]", "_", name)] = value
    values = {"average": point.sum / point.count, "maximum": point.max, "minimum": point.min,
              "sum": point.sum, "sample_count": point.count, "p99": point.p99}
    for statistic, value in values.items():
        if value is not None:
            yield {**labels, "__name__": f"{yace_base(point)}_{statistic}"}, value


OTEL_UNITS = {"%": "percent", "{Count}": "", "1": "", "ms": "milliseconds"}


def otel(point):
    words = re.findall(r"[A-Za-z0-9:]+", f"amazonaws.com/{point.namespace}/{point.name}")
    unit = OTEL_UNITS[point.unit]
    base = "_".join(words + ([unit] if unit and unit not in words else []))
    labels = {"cloud_provider": "aws", "cloud_account_id": point.account,
              "cloud_region": point.region, "Namespace": point.namespace,
              "MetricName": point.name}
    for name, value in point.dimensions.items():
        labels[re.sub(r"[^A-Za-z0-9_]", "_", name)] = value
    for suffix, value in [("_sum", point.sum), ("_count", point.count)]:
        yield {**labels, "__name__": base + suffix}, value
    for quantile, value in [("0", point.min), ("0.99", point.p99), ("1", point.max)]:
        if value is not None:
            yield {**labels, "__name__": base, "quantile": quantile}, value


def samples_of(points, naming):
    found = {}
    for point in points:
        for labels, value in naming(point):
            found[(tuple(sorted(labels.items())), point.start_ns // 10**6)] = float(value)
    return found


# Peers.

class Prometheus:
    """A real one, that can be killed and started again on its data."""

    def __init__(self, running, name, late=None):
        self.running, self.name = running, name
        self.binary = peers.TOOLS / "prometheus" / "prometheus"
        self.promtool = peers.TOOLS / "prometheus" / "promtool"
        peers.need(self.binary, "setup.sh")
        peers.need(self.promtool, "setup.sh")
        self.port = peers.free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self.url = self.base + "/api/v1/write"
        self.config = running.path / f"{name}.yml"
        tsdb = {"storage": {"tsdb": {"out_of_order_time_window": late}}} if late else {}
        self.config.write_text(json.dumps({"global": {"scrape_interval": "1h"}, **tsdb}))
        subprocess.run([self.promtool, "check", "config", self.config], check=True,
                       stdout=subprocess.DEVNULL)
        self.starts = 0
        self.start()

    def start(self):
        self.starts += 1
        self.process = self.running.start(f"{self.name}-{self.starts}", [
            self.binary, f"--config.file={self.config}",
            f"--storage.tsdb.path={self.running.path / self.name}",
            f"--web.listen-address=127.0.0.1:{self.port}", "--web.enable-remote-write-receiver"])
        peers.wait_until(f"{self.name} starts", lambda: peers.get(self.base + "/-/ready"))

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def samples(self, query='{__name__=~".+"}[30m]'):
        answer = json.loads(peers.get(
            f"{self.base}/api/v1/query?" + urllib.parse.urlencode({"query": query})))
        found = {}
        for series in answer["data"]["result"]:
            labels = tuple(sorted(series["metric"].items()))
            for at, value in series["values"]:
                found[(labels, round(at * 1000))] = float(value)
        return found

    def promtool_count(self):
        """How many series have a sample in the last five minutes, asked by promtool."""
        out = subprocess.run([self.promtool, "query", "instant", self.base,
                              'count({__name__=~".+"})'],
                             check=True, capture_output=True, text=True).stdout
        return int(re.search(r"=> (\d+)", out).group(1))


def vm_samples(base):
    peers.get(base + "/internal/force_flush")
    found = {}
    for line in peers.get(base + "/api/v1/export?match[]={__name__!=%22%22}").decode().splitlines():
        row = json.loads(line)
        labels = tuple(sorted(row["metric"].items()))
        for at, value in zip(row["timestamps"], row["values"]):
            found[(labels, at)] = value
    return found


def same(what, wanted, get, precision=0.0):
    """Waits until all is there, and compares."""
    peers.wait_until(f"{what}: all arrives", lambda: len(get()) >= len(wanted))
    got = get()
    missing, extra = wanted.keys() - got.keys(), got.keys() - wanted.keys()
    largest = {}
    for (labels, _), value in wanted.items():
        largest[labels] = max(largest.get(labels, 0.0), abs(value))
    altered = {key for key in wanted.keys() & got.keys()
               if not math.isclose(wanted[key], got[key], rel_tol=0.0,
                                   abs_tol=precision * largest[key[0]])}
    for key in [*list(missing)[:2], *list(extra)[:2], *list(altered)[:2]]:
        print("  differs:", key, wanted.get(key), got.get(key))
    if missing or extra or altered:
        raise SystemExit(f"FAILED: {what}: {len(missing)} missing, {len(extra)} unexpected, "
                         f"{len(altered)} altered of {len(wanted)} samples")
    exact = "" if precision else " exact"
    print(f"ok: {what}: {len(wanted)} samples, names, times and values{exact}")


def stream(url, **more):
    return {"source": "aws",
            "destination": {"type": "prometheus_remote_write", "url": url, **more}}


def hydrant(running, binary, streams):
    """Hydrant with one Firehose source; URL to deliver to, admin URL and data folder."""
    source = peers.free_port()
    sources = {"aws": {"type": "firehose", "listen": f"127.0.0.1:{source}",
                       "access_keys": [deliveries.KEY]}}
    _, admin, data = running.hydrant_with(binary, sources, streams)
    return f"http://127.0.0.1:{source}/", admin, data


def outcomes(admin, name):
    found = {}
    for line in peers.get(admin + "/metrics").decode().splitlines():
        hit = re.match(r'hydrant_stream_points_total\{(.*)\} (\d+)', line)
        if hit and f'stream="{name}"' in hit.group(1):
            found[re.search(r'outcome="(\w+)"', hit.group(1)).group(1)] = int(hit.group(2))
    return found


# Checks.

def check_names(running, binary):
    """Three input formats, two namings, two receivers."""
    wanted = deliveries.points(seed=5, percentiles=True)
    third = len(wanted) // 3
    parts = [wanted[:third], wanted[third:2 * third], wanted[2 * third:]]
    by_yace, by_otel = (Prometheus(running, f"prometheus-{n}", LATE) for n in ("yace", "otel"))
    vm = running.victoria_metrics("vm")
    url, admin, _ = hydrant(running, binary, {
        "yace": stream(by_yace.url),
        "otel": stream(by_otel.url, naming="otel", samples_max=500),
        "vm": stream(vm + "/api/v1/write", samples_max=1000)})
    for part, output_format in zip(parts, deliveries.FORMATS):
        deliveries.deliver_all(url, part, output_format)
    expected = samples_of(wanted, yace)
    same("Prometheus, YACE's names", expected, by_yace.samples)
    same("Prometheus, OpenTelemetry's names", samples_of(wanted, otel), by_otel.samples)
    same("VictoriaMetrics", expected, lambda: vm_samples(vm), VM_PRECISION)
    series = {labels for labels, _ in expected}
    if by_yace.promtool_count() != len(series):
        raise SystemExit(f"FAILED: promtool counts {by_yace.promtool_count()} of {len(series)}")
    print(f"ok: promtool counts {len(series)} series too")
    for name in ("yace", "otel", "vm"):
        found = outcomes(admin, name)
        if found.get("delivered") != len(wanted) or found.get("backed_up"):
            raise SystemExit(f"FAILED: stream {name}: {found} of {len(wanted)} points")
    return admin, by_yace


def check_text(binary, admin, prometheus):
    """promtool reads what inspect prints, and finds nothing to say about /metrics."""
    body = b"".join(deliveries.records_of(deliveries.points(seed=6, minutes=1), "json"))
    text = subprocess.run([binary, "inspect", "--output", "prometheus"], input=body, check=True,
                          capture_output=True).stdout
    read = subprocess.run([prometheus.promtool, "check", "metrics"], input=text,
                          capture_output=True)
    # 3 is lint: YACE's names end in _sum though they are gauges, and have no help.
    said = (read.stdout + read.stderr).decode()
    if read.returncode not in (0, 3) or "error while linting" in said:
        raise SystemExit(f"FAILED: promtool cannot read inspect's text: {said[:500]}")
    print(f"ok: promtool reads the {text.count(b'aws_')} lines of inspect")
    page = peers.get(admin + "/metrics")
    read = subprocess.run([prometheus.promtool, "check", "metrics"], input=page,
                          capture_output=True)
    if read.returncode != 0:
        raise SystemExit(f"FAILED: promtool on /metrics: {(read.stdout + read.stderr).decode()}")
    print("ok: promtool finds nothing to say about /metrics")


def check_kill(running, binary):
    """Prometheus is killed while it receives, and comes back."""
    prometheus = Prometheus(running, "killed", LATE)
    # Small requests, so that it dies between and within them.
    url, admin, _ = hydrant(running, binary, {"s": stream(prometheus.url, samples_max=60)})
    sent = deliveries.points(seed=7, series=400, minutes=4)
    quarter = len(sent) // 4
    for n in range(4):
        deliveries.deliver_all(url, sent[n * quarter:(n + 1) * quarter], deliveries=1)
        if n % 2 == 0:
            peers.wait_until("some of it is delivered",
                             lambda: outcomes(admin, "s").get("delivered", 0) > n * quarter)
            prometheus.kill()
            time.sleep(0.5)
            prometheus.start()
    sent = sent[:4 * quarter]
    same("Prometheus killed twice", samples_of(sent, yace), prometheus.samples)
    found = outcomes(admin, "s")
    if found.get("delivered") != len(sent):
        raise SystemExit(f"FAILED: {found} of {len(sent)} points")


def check_out_of_order(running, binary):
    """Late and corrected points among others, to a Prometheus that takes none of them."""
    prometheus = Prometheus(running, "strict")
    url, admin, data = hydrant(running, binary, {"s": stream(prometheus.url)})
    # Series without percentiles have the same five statistics in every minute.
    sent = deliveries.points(seed=8, minutes=3)
    newest = max(p.start_ns for p in sent)
    minutes = {(newest - p.start_ns) // deliveries.MINUTE_NS: [] for p in sent}
    for point in sent:
        minutes[(newest - point.start_ns) // deliveries.MINUTE_NS].append(point)
    key = lambda p: p.identity()[:5]
    late = {key(p) for p in minutes[2][:5]}
    first = [p for p in minutes[1]]
    corrected = minutes[1][10]
    deliveries.deliver_all(url, first, deliveries=1)
    # In one request with what follows, they would be put in order, and nothing would be late.
    peers.wait_until("the first minute is there",
                     lambda: outcomes(admin, "s").get("delivered", 0) == len(first))
    again = deliveries.Point(corrected.account, corrected.region, corrected.namespace,
                             corrected.name, corrected.dimensions, corrected.unit,
                             corrected.start_ns, corrected.min, corrected.max,
                             corrected.sum + 1, corrected.count + 1)
    others = [p for p in minutes[0] if key(p) != key(corrected)]
    mixed = others[:50] + minutes[2][:5] + others[50:90] + [again] + others[90:]
    # The late points come before the others of their series, or they would be late twice.
    mixed = [p for p in mixed if p.start_ns != newest or key(p) not in late]
    deliveries.deliver_all(url, mixed, deliveries=1)
    stored = first + [p for p in mixed if p is not again and p.start_ns == newest]
    same("Prometheus without a window for late samples", samples_of(stored, yace),
         prometheus.samples)
    peers.wait_until("the refused are in the backup",
                     lambda: outcomes(admin, "s").get("backed_up", 0) >= 6)
    found = outcomes(admin, "s")
    if found.get("backed_up") != 6 or found.get("delivered") != len(stored):
        raise SystemExit(f"FAILED: {found}; 6 points are late or corrected, {len(stored)} are not")
    texts = [json.loads(line) for file in (data / "backup").rglob("*")
             if file.is_file() for line in file.read_text().splitlines()]
    words = " ".join(line["errorMessage"] for line in texts)
    if "out of order sample" not in words or "duplicate sample for timestamp" not in words:
        raise SystemExit(f"FAILED: the backup does not say why: {words[:300]}")
    print("ok: the six points that Prometheus refused are in the backup, with its words")


# The set-up alone.

def write(url, samples):
    """Remote write 1.0 by hand; Snappy's literals alone are legal."""
    body = b""
    for (labels, at), value in samples.items():
        series = b"".join(deliveries.field(1, deliveries.field(1, k.encode())
                                           + deliveries.field(2, v.encode())) for k, v in labels)
        sample = b"\x09" + struct.pack("<d", value) + b"\x10" + deliveries.varint(at)
        body += deliveries.field(1, series + deliveries.field(2, sample))
    packed = deliveries.varint(len(body))
    for at in range(0, len(body), 60):
        piece = body[at:at + 60]
        packed += bytes([(len(piece) - 1) << 2]) + piece
    request = urllib.request.Request(url, data=packed, headers={
        "Content-Type": "application/x-protobuf", "Content-Encoding": "snappy",
        "X-Prometheus-Remote-Write-Version": "0.1.0"})
    urllib.request.urlopen(request, timeout=30).read()


def check_peers(running):
    sent = deliveries.points(seed=5, percentiles=True)
    for naming in (yace, otel):
        prometheus = Prometheus(running, f"peers-{naming.__name__}", LATE)
        wanted = samples_of(sent, naming)
        write(prometheus.url, wanted)
        same(f"Prometheus alone, {naming.__name__}", wanted, prometheus.samples)
    vm = running.victoria_metrics("vm")
    write(vm + "/api/v1/write", wanted)
    same("VictoriaMetrics alone", wanted, lambda: vm_samples(vm), VM_PRECISION)


def main():
    peers.enter_venv()
    binary = peers.binary_from_arguments("check_prometheus.py")
    with peers.Running() as running:
        if binary is None:
            return check_peers(running)
        admin, prometheus = check_names(running, binary)
        check_text(binary, admin, prometheus)
        check_kill(running, binary)
        check_out_of_order(running, binary)


main()
