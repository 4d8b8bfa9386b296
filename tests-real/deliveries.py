"""Points of our own making, the deliveries that carry them, and what OTLP requests hold of them.

Encoded with opentelemetry-proto (format 0.7 by hand) and sent by urllib, so that nothing of Hydrant
is on the sending side.
"""
import base64
import gzip
import json
import math
import random
import struct
import sys
import time
import urllib.error
import urllib.request
import uuid

KEY = "rehearsal-key"
MINUTE_NS = 60 * 10**9

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


def deliver(url, records, key=KEY, compress=True, **more):
    """One Firehose delivery; returns status and body. `more` are headers."""
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
        **more,
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


# What OTLP requests hold.

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


def merged(requests):
    """What several requests hold together; see `sets_of`."""
    from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2 as service
    whole = service.ExportMetricsServiceRequest()
    for request in list(requests):
        whole.resource_metrics.extend(request.resource_metrics)
    return sets_of(whole)


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
