"""What records hold, in each of the three formats, read by other people's libraries."""
import json

import deliveries
import otlp07


def messages(data):
    """The messages of OpenTelemetry behind their lengths."""
    at = 0
    while at < len(data):
        length = shift = 0
        while True:
            byte, at = data[at], at + 1
            length |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                break
        yield data[at:at + length]
        at += length


def sets_of_json(data):
    found = {}
    for line in data.decode().splitlines():
        row = json.loads(line)
        value = row["value"]
        identity = (row["account_id"], row["region"], row["namespace"], row["metric_name"],
                    tuple(sorted(row["dimensions"].items())), row["timestamp"] * 10**6)
        found[identity] = (value["min"], value["max"], value["sum"], value["count"],
                           value.get("p99"))
    return found


def sets_of(records, output_format):
    """(identity, values) as `deliveries.sets_of` has them; a later set replaces an earlier one."""
    from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2 as service
    if output_format == "json":
        return sets_of_json(b"".join(records))
    found = {}
    for message in (m for record in records for m in messages(record)):
        if output_format == "opentelemetry0.7":
            found.update(otlp07.sets_of(message))
        else:
            request = service.ExportMetricsServiceRequest()
            request.ParseFromString(message)
            found.update(deliveries.sets_of(request)[0])
    return found
