"""What the checks share: deliveries of our own making, real peers as processes, Hydrant itself.

The deliveries are encoded here with opentelemetry-proto and sent by urllib, so that nothing of
Hydrant is on the sending side. Everything listens on 127.0.0.1 and is stopped at the end.
"""
import base64
import gzip
import http.server
import json
import math
import os
import pathlib
import random
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
import uuid

HERE = pathlib.Path(__file__).resolve().parent
TOOLS = pathlib.Path(os.environ.get("HYDRANT_TOOLS", HERE.parent / ".tools")).resolve()
PYTHON = TOOLS / "venv" / "bin" / "python"
UNAVAILABLE = 69  # exit code: something that is needed cannot be had
KEY = "rehearsal-key"
MINUTE_NS = 60 * 10**9


def enter_venv():
    """Starts the script again with the Python that has the reference libraries."""
    if not PYTHON.exists():
        print(f"{PYTHON} is not there; run {HERE.name}/setup.sh first", file=sys.stderr)
        sys.exit(UNAVAILABLE)
    if pathlib.Path(sys.prefix).resolve() != PYTHON.parent.parent.resolve():
        os.execv(PYTHON, [str(PYTHON), *sys.argv])


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


# How long anything may take to start or to arrive; generous, since machines are shared.
WAIT_SECONDS = float(os.environ.get("PEERS_WAIT_SECONDS", "60"))


def wait_until(what, ready, seconds=WAIT_SECONDS):
    """Polls until `ready()` gives something true, and returns it."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            result = ready()
        except (OSError, urllib.error.URLError):
            result = None
        if result:
            return result
        time.sleep(0.05)
    raise SystemExit(f"FAILED: {what}: not within {seconds:.0f} s")


def get(url):
    with urllib.request.urlopen(url, timeout=10) as response:
        return response.read()


# ---------------------------------------------------------------- points and deliveries

class Point:
    """One statistic set of one metric, as CloudWatch makes it."""

    def __init__(self, account, region, namespace, name, dimensions, unit, start_ns, low, high,
                 total, count, p99=None):
        self.account, self.region = account, region
        self.namespace, self.name, self.dimensions, self.unit = namespace, name, dimensions, unit
        self.start_ns, self.end_ns = start_ns, start_ns + MINUTE_NS
        self.min, self.max, self.sum, self.count = low, high, total, count
        self.p99 = p99

    def identity(self):
        return (self.account, self.region, self.namespace, self.name,
                tuple(sorted(self.dimensions.items())), self.start_ns)

    def values(self):
        return (self.min, self.max, self.sum, self.count, self.p99)


METRICS = [
    ("AWS/EC2", "CPUUtilization", ["InstanceId"], "%"),
    ("AWS/ApplicationELB", "HTTPCode_Target_2XX_Count", ["AvailabilityZone", "LoadBalancer"],
     "{Count}"),
    ("AWS/ApiGateway", "4XXError", ["ApiName", "Stage"], "{Count}"),
    ("AWS/Kafka", "MaxOffsetLag", ["Cluster Name", "Consumer Group", "Topic"], "{Count}"),
    ("AWS/CloudFront", "Requests", ["DistributionId", "Region"], "1"),
    ("AWS/Kinesis", "GetRecords.IteratorAgeMilliseconds", ["StreamName"], "ms"),
    ("ContainerInsights", "pod_cpu_utilization", ["ClusterName", "Namespace", "PodName"], "%"),
    ("AWS/Usage", "CallCount", [], "1"),
    ("My Shop/Checkout", "basket value (EUR)", ["a=b", "quote\"d"], "1"),
]
OWNERS = [("111122223333", "eu-west-1"), ("012345678901", "us-east-1")]


def points(seed, series=200, minutes=3, now=None, percentiles=False):
    """Points of the last minutes, the same for the same seed and time. With percentiles, every
    third series has a p99."""
    draw = random.Random(seed)
    last = int((now or time.time()) // 60) * MINUTE_NS - MINUTE_NS
    out = []
    for n in range(series):
        namespace, name, dimensions, unit = METRICS[n % len(METRICS)]
        owner = OWNERS[n // len(METRICS) % len(OWNERS)]
        values = {d: f"{d.lower()}-{n} \u00e4" for d in dimensions}
        if not dimensions and n >= len(METRICS) * len(OWNERS):
            continue  # without dimensions there is one series per account and region
        for minute in range(minutes):
            count = draw.randint(1, 300)
            samples = sorted(draw.choice([0.0, float(draw.randint(0, 10**6)), draw.random()])
                             for _ in range(2))
            low, high = samples if count > 1 else (samples[1], samples[1])
            mean = low + (high - low) * draw.random()
            p99 = low + (high - low) * 0.97 if percentiles and n % 3 == 0 and count > 1 else None
            out.append(Point(*owner, namespace, name, values, unit, last - minute * MINUTE_NS,
                             low, high, mean * count if count > 1 else low, count, p99))
    draw.shuffle(out)
    return out


def request_of(chosen):
    """An ExportMetricsServiceRequest as a metric stream writes format 1.0."""
    from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2 as service
    request = service.ExportMetricsServiceRequest()
    by_owner = {}
    for point in chosen:
        by_owner.setdefault((point.account, point.region), []).append(point)
    for (account, region), group in by_owner.items():
        resource = request.resource_metrics.add()
        arn = f"arn:aws:cloudwatch:{region}:{account}:metric-stream/rehearsal"
        for key, value in [("cloud.provider", "aws"), ("cloud.account.id", account),
                           ("cloud.region", region), ("aws.exporter.arn", arn)]:
            attribute = resource.resource.attributes.add()
            attribute.key, attribute.value.string_value = key, value
        scope = resource.scope_metrics.add()
        for point in group:
            metric = scope.metrics.add()
            metric.name = f"amazonaws.com/{point.namespace}/{point.name}"
            metric.unit = point.unit
            data = metric.summary.data_points.add()
            data.start_time_unix_nano, data.time_unix_nano = point.start_ns, point.end_ns
            data.count, data.sum = int(point.count), point.sum
            for quantile, value in [(0.0, point.min), (0.99, point.p99), (1.0, point.max)]:
                if value is not None:
                    entry = data.quantile_values.add()
                    entry.quantile, entry.value = quantile, value
            for key, value in [("Namespace", point.namespace), ("MetricName", point.name)]:
                attribute = data.attributes.add()
                attribute.key, attribute.value.string_value = key, value
            dimensions = data.attributes.add()
            dimensions.key = "Dimensions"
            dimensions.value.kvlist_value.SetInParent()
            for key, value in point.dimensions.items():
                pair = dimensions.value.kvlist_value.values.add()
                pair.key, pair.value.string_value = key, value
    return request


def varint(number):
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def field(number, body):
    """A length-delimited protobuf field."""
    return varint(number << 3 | 2) + varint(len(body)) + body


def fixed(number, kind, value):
    """A 64-bit protobuf field; zero is left out, as proto3 has it."""
    return varint(number << 3 | 1) + struct.pack("<" + kind, value) if value else b""


def message_07(chosen):
    """The same in format 0.7, for which there is no library: labels instead of attributes."""
    def pair(key, value):
        return field(1, key.encode()) + field(2, value.encode())

    groups = b""
    for resource in request_of(chosen).resource_metrics:
        owner = {a.key: a.value.string_value for a in resource.resource.attributes}
        metrics = b""
        for point in chosen:
            if (point.account, point.region) != (owner["cloud.account.id"], owner["cloud.region"]):
                continue
            labels = [("Namespace", point.namespace), ("MetricName", point.name),
                      *point.dimensions.items()]
            data = b"".join(field(1, pair(k, v)) for k, v in labels)
            data += fixed(2, "Q", point.start_ns) + fixed(3, "Q", point.end_ns)
            data += fixed(4, "Q", int(point.count)) + fixed(5, "d", point.sum)
            for quantile, value in [(0.0, point.min), (0.99, point.p99), (1.0, point.max)]:
                if value is not None:
                    data += field(6, fixed(1, "d", quantile) + fixed(2, "d", value))
            name = f"amazonaws.com/{point.namespace}/{point.name}".encode()
            metrics += field(2, field(1, name) + field(3, point.unit.encode())
                             + field(11, field(1, data)))
        groups += field(1, field(1, resource.resource.SerializeToString()) + field(2, metrics))
    return groups


UNITS = {"%": "Percent", "{Count}": "Count", "1": "None", "ms": "Milliseconds"}


def json_lines(chosen):
    """The same in format JSON, one object a line."""
    lines = []
    for point in chosen:
        value = {"max": point.max, "min": point.min, "sum": point.sum, "count": float(point.count)}
        if point.p99 is not None:
            value["p99"] = point.p99
        lines.append(json.dumps({
            "metric_stream_name": "rehearsal", "account_id": point.account, "region": point.region,
            "namespace": point.namespace, "metric_name": point.name,
            "dimensions": point.dimensions, "timestamp": point.start_ns // 10**6, "value": value,
            "unit": UNITS[point.unit]}, separators=(",", ":"), ensure_ascii=False) + "\n")
    return "".join(lines).encode()


FORMATS = ["opentelemetry1.0", "opentelemetry0.7", "json"]


def records_of(chosen, output_format="opentelemetry1.0", per_message=40, messages=3):
    """Firehose records: several messages each, length-prefixed but for JSON."""
    framed = []
    for at in range(0, len(chosen), per_message):
        part = chosen[at:at + per_message]
        if output_format == "json":
            framed.append(json_lines(part))
            continue
        is_new = output_format == "opentelemetry1.0"
        body = request_of(part).SerializeToString() if is_new else message_07(part)
        framed.append(varint(len(body)) + body)
    return [b"".join(framed[at:at + messages]) for at in range(0, len(framed), messages)]


def deliver(url, records, key=KEY, compress=True):
    """One Firehose delivery; returns status and body."""
    request_id = str(uuid.uuid4())
    data = [{"data": base64.b64encode(record).decode()} for record in records]
    body = json.dumps({"requestId": request_id, "timestamp": int(time.time() * 1000),
                       "records": data}, separators=(",", ":")).encode()
    headers = {
        "X-Amz-Firehose-Protocol-Version": "1.0",
        "X-Amz-Firehose-Request-Id": request_id,
        "X-Amz-Firehose-Source-Arn":
            "arn:aws:firehose:eu-west-1:111122223333:deliverystream/rehearsal",
        "X-Amz-Firehose-Access-Key": key,
        "Content-Type": "application/json",
        "User-Agent": "Amazon Kinesis Data Firehose Agent/1.0",
    }
    if compress:
        body, headers["Content-Encoding"] = gzip.compress(body, 6), "gzip"
    request = urllib.request.Request(url, data=body, headers=headers, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            answer = json.loads(response.read())
            assert answer["requestId"] == request_id, answer
            return response.status, answer
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.read()


def deliver_all(url, chosen, output_format="opentelemetry1.0", deliveries=4):
    """All points in a few deliveries, each of which must be answered 200."""
    records = records_of(chosen, output_format)
    size = math.ceil(len(records) / deliveries)
    for n, at in enumerate(range(0, len(records), size)):
        status, answer = deliver(url, records[at:at + size], compress=n % 2 == 0)
        if status != 200:
            raise SystemExit(f"FAILED: delivery {n} was answered {status}: {answer}")


# ---------------------------------------------------------------- what OTLP requests hold

def sets_of(request):
    """(identity, values) of every point of an ExportMetricsServiceRequest, whatever expresses it:
    a summary, a histogram, or one gauge a statistic. Values are (min, max, sum, count, p99)."""
    found = {}
    order = {"min": 0, "max": 1, "sum": 2, "count": 3, "p99": 4}
    repeats = 0
    for resource in request.resource_metrics:
        owner = {a.key: a.value.string_value for a in resource.resource.attributes}
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                kind = metric.WhichOneof("data")
                for point in getattr(metric, kind).data_points:
                    attributes = {a.key: a.value for a in point.attributes}
                    dimensions = attributes.get("Dimensions")
                    pairs = dimensions.kvlist_value.values if dimensions is not None else []
                    identity = (
                        owner.get("cloud.account.id"), owner.get("cloud.region"),
                        attributes["Namespace"].string_value,
                        attributes["MetricName"].string_value,
                        tuple(sorted((p.key, p.value.string_value) for p in pairs)),
                        point.start_time_unix_nano)
                    values = found.setdefault(identity, [None] * 5)
                    if kind == "summary":
                        at = {q.quantile: q.value for q in point.quantile_values}
                        parts = [at.get(0.0), at.get(1.0), point.sum, point.count,
                                 at.get(0.99)]
                    elif kind == "histogram":
                        parts = [point.min, point.max, point.sum, point.count, None]
                    else:
                        parts = [None] * 5
                        statistic = metric.name.rsplit(".", 1)[-1]
                        if statistic in order:
                            number = point.WhichOneof("value")
                            parts[order[statistic]] = getattr(point, number)
                    for n, part in enumerate(parts):
                        if part is not None:
                            repeats += values[n] is not None
                            values[n] = part
    return {identity: tuple(values) for identity, values in found.items()}, repeats


def same_points(sent, arrived, what, percentiles=True):
    """Fails with examples unless exactly the sent points arrived, to the bit."""
    wanted = {p.identity(): p.values() for p in sent}
    if not percentiles:
        wanted = {identity: (*values[:4], None) for identity, values in wanted.items()}
    missing = wanted.keys() - arrived.keys()
    extra = arrived.keys() - wanted.keys()
    altered = [i for i in wanted.keys() & arrived.keys()
               if any(a != b for a, b in zip(arrived[i], wanted[i]))]
    if missing or extra or altered:
        for label, some in [("missing", missing), ("unexpected", extra)]:
            for identity in list(some)[:3]:
                print(f"  {label}: {identity}", file=sys.stderr)
        for identity in altered[:3]:
            print(f"  altered: {identity}: {arrived[identity]}, sent {wanted[identity]}",
                  file=sys.stderr)
        raise SystemExit(f"FAILED: {what}: {len(missing)} missing, {len(extra)} unexpected, "
                         f"{len(altered)} altered of {len(wanted)}")
    print(f"ok: {what}: {len(wanted)} points, all there and none altered")


# ---------------------------------------------------------------- peers

class Running:
    """Processes and servers of a check; stopped when it ends, however it ends."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="hydrant-real-")
        self.path = pathlib.Path(self.folder.name)
        self.processes, self.servers, self.logs = [], [], {}

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for server in self.servers:
            server.shutdown()
        if kind is not None:
            for name, log in self.logs.items():
                tail = log.read_text(errors="replace").splitlines()[-15:]
                print(f"--- {name}", *tail, sep="\n", file=sys.stderr)
        self.folder.cleanup()

    def start(self, name, command, env=None):
        log = self.path / f"{name}.log"
        self.logs[name] = log
        with log.open("wb") as out:
            process = subprocess.Popen([str(c) for c in command], stdout=out, stderr=out,
                                       cwd=self.path, env={**os.environ, **(env or {})})
        self.processes.append(process)
        return process

    def victoria_metrics(self, name):
        """A VictoriaMetrics; returns its base URL."""
        binary = TOOLS / "victoria-metrics" / "victoria-metrics"
        need(binary, "setup.sh")
        port = free_port()
        self.start(name, [binary, f"-httpListenAddr=127.0.0.1:{port}",
                          f"-storageDataPath={self.path / name}", "-retentionPeriod=100y"])
        base = f"http://127.0.0.1:{port}"
        wait_until(f"{name} starts", lambda: get(base + "/health"))
        return base

    def serve(self, answer):
        """An HTTP server in this process: `answer(path, headers, body)` gives (status, type, body)."""
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                status, media, body = answer(self.path, self.headers, body)
                self.send_response(status)
                self.send_header("Content-Type", media)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.servers.append(server)
        return f"http://127.0.0.1:{server.server_address[1]}"

    def otlp_sink(self):
        """An OTLP backend that keeps what opentelemetry-proto parsed; returns URL and requests."""
        from google.protobuf import json_format
        from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2 as service
        kept, lock = [], threading.Lock()

        def answer(path, headers, body):
            request = service.ExportMetricsServiceRequest()
            if path != "/v1/metrics":
                return 404, "text/plain", b"not found"
            try:
                if headers["Content-Type"].startswith("application/json"):
                    json_format.Parse(body, request)
                    empty, media = b"{}", "application/json"
                else:
                    request.ParseFromString(body)
                    empty, media = b"", "application/x-protobuf"
            except Exception as fault:  # noqa: BLE001: whatever it is, the sender must hear of it
                return 400, "text/plain", str(fault).encode()
            with lock:
                kept.append(request)
            return 200, media, empty

        return self.serve(answer), kept

    def collector(self, export_to):
        """A real OTLP receiver that passes on what it got; returns its URL and its name."""
        port = free_port()
        binary = TOOLS / "otelc" / "otelc"
        if binary.exists():
            config = self.path / "otelc.yaml"
            config.write_text(json.dumps({
                "receivers": {"otlp": {"protocols": {"http": {"endpoint": f"127.0.0.1:{port}"}}}},
                "exporters": {"otlp_http": {"endpoint": export_to, "compression": "none",
                                            "sending_queue": {"enabled": False}}},
                "service": {"telemetry": {"metrics": {"level": "none"}},
                            "pipelines": {"metrics": {"receivers": ["otlp"],
                                                      "exporters": ["otlp_http"]}}},
            }))
            self.start("otelc", [binary, "--config", f"file:{config}"])
            name = "OpenTelemetry Collector"
        else:
            found = list((TOOLS / "venv").glob("lib/python3*/site-packages/rotel/rotel-agent"))
            need(found[0] if found else TOOLS / "venv" / "rotel-agent", "setup.sh")
            self.start("rotel", [
                found[0], "start", "--otlp-http-endpoint", f"127.0.0.1:{port}",
                "--otlp-grpc-endpoint", f"127.0.0.1:{free_port()}",
                "--otlp-exporter-endpoint", export_to, "--otlp-exporter-protocol", "http"])
            name = "rotel"

        def listens():
            with socket.create_connection(("127.0.0.1", port), 1):
                return True

        wait_until(f"{name} starts", listens)
        return f"http://127.0.0.1:{port}", name

    def hydrant(self, binary, destination, **stream):
        """Hydrant with one Firehose source and one stream; returns the URL to deliver to."""
        source, admin = free_port(), free_port()
        settings = self.path / f"hydrant-{source}.yaml"
        # YAML takes JSON as it is.
        settings.write_text(json.dumps({
            "data_dir": str(self.path / f"data-{source}"),
            "admin": {"listen": f"127.0.0.1:{admin}"},
            "sources": {"aws": {"type": "firehose", "listen": f"127.0.0.1:{source}",
                                "access_keys": [KEY]}},
            "streams": {"check": {"source": "aws", "destination": destination, **stream}},
        }, indent=1))
        process = self.start(f"hydrant-{source}", [binary, "run", "-c", settings])

        def ready():
            if process.poll() is not None:
                raise SystemExit(f"FAILED: hydrant ended with exit code {process.returncode}")
            return get(f"http://127.0.0.1:{admin}/readyz")

        wait_until("hydrant is ready", ready)
        return f"http://127.0.0.1:{source}/"


def need(path, script):
    if not pathlib.Path(path).exists():
        print(f"{path} is not there; {HERE.name}/{script} gets it", file=sys.stderr)
        sys.exit(UNAVAILABLE)


def binary_from_arguments(script):
    """The path of the built binary, or None when only the peers are tried (--peers-only)."""
    arguments = sys.argv[1:]
    if arguments == ["--peers-only"]:
        return None
    if len(arguments) != 1 or arguments[0].startswith("-"):
        print(f"usage: {script} PATH-OF-HYDRANT | --peers-only", file=sys.stderr)
        sys.exit(2)
    binary = pathlib.Path(arguments[0]).resolve()
    if not binary.exists():
        print(f"{binary} is not there; build it first: cargo build --release", file=sys.stderr)
        sys.exit(UNAVAILABLE)
    return binary
