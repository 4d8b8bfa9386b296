#!/usr/bin/env python3
"""Stands in for Hydrant when the checks themselves are tested: takes `run -c FILE`, receives
deliveries, and sends what they hold at once, with nothing durable and nothing retried.

STANDIN_FAULT makes it do one point of a delivery wrong: drop, alter or repeat it.
"""
import base64
import gzip
import http.server
import json
import os
import re
import sys
import threading
import urllib.request

import peers
import records


def post(url, body, headers):
    request = urllib.request.Request(url, data=body, headers=headers)
    urllib.request.urlopen(request, timeout=30).read()


def text(attributes, key):
    return next(a.value.string_value for a in attributes if a.key == key)


def dimensions_of(point):
    pairs = next(a for a in point.attributes if a.key == "Dimensions").value.kvlist_value.values
    return {pair.key: pair.value.string_value for pair in pairs}


def mint_lines(request):
    from dynatrace.metric.utils._normalize import Normalize
    normalize = Normalize()
    for resource in request.resource_metrics:
        owner = resource.resource.attributes
        for metric in resource.scope_metrics[0].metrics:
            point = metric.summary.data_points[0]
            dimensions = {"aws.account.id": text(owner, "cloud.account.id"),
                          "aws.region": text(owner, "cloud.region"),
                          "dt.source": "AWS Metric Streams"}
            for name, value in dimensions_of(point).items():
                dimensions[normalize.normalize_dimension_key(name)] = value
            key = "cloud.aws." + re.sub(r"[^a-z0-9]+", "_", metric.name.lower())
            low, high = point.quantile_values[0].value, point.quantile_values[-1].value
            pairs = "".join(f",{k}={json.dumps(v, ensure_ascii=False)}" for k, v in dimensions.items())
            yield (f"{key}{pairs} gauge,min={low!r},max={high!r},sum={point.sum!r},"
                   f"count={point.count} {point.start_time_unix_nano // 10**6}")


def expressed(request, ways):
    """The request with its points as gauges or histograms."""
    for resource in request.resource_metrics:
        metrics = resource.scope_metrics[0].metrics
        old = [m.__class__.FromString(m.SerializeToString()) for m in metrics]
        del metrics[:]
        for metric in old:
            point = metric.summary.data_points[0]
            values = {q.quantile: q.value for q in point.quantile_values}
            low, high = values[0.0], values[1.0]
            if ways == "delta_histogram":
                new = metrics.add(name=metric.name, unit=metric.unit)
                new.histogram.aggregation_temporality = 1
                data = new.histogram.data_points.add(
                    count=point.count, sum=point.sum, min=low, max=high)
                copies = [data]
            else:
                copies = []
                for name, value in [("min", low), ("max", high), ("sum", point.sum),
                                    ("count", point.count), ("avg", point.sum / point.count),
                                    ("p99", values.get(0.99))]:
                    if value is None:
                        continue
                    new = metrics.add(name=f"{metric.name}.{name}", unit=metric.unit)
                    copies.append(new.gauge.data_points.add(as_double=value))
            for data in copies:
                data.attributes.extend(point.attributes)
                data.start_time_unix_nano = point.start_time_unix_nano
                data.time_unix_nano = point.time_unix_nano
    return request


def spoil(request):
    """Does one point wrong, as STANDIN_FAULT says."""
    fault = os.environ.get("STANDIN_FAULT")
    metrics = request.resource_metrics[0].scope_metrics[0].metrics
    if fault == "drop":
        del metrics[0]
    elif fault == "alter":
        metrics[0].summary.data_points[0].sum *= 1.001
        metrics[0].summary.data_points[0].sum += 1
    elif fault == "repeat":
        metrics.add().CopyFrom(metrics[0])


def main():
    peers.enter_venv()
    from google.protobuf import json_format
    from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2 as service
    settings = json.load(open(sys.argv[3], encoding="utf-8"))
    destination = settings["streams"]["check"]["destination"]

    def send(request):
        if destination["type"] == "dynatrace":
            body = "\n".join(mint_lines(request)).encode()
            return post(destination["url"] + "/api/v2/metrics/ingest", body, {
                "Authorization": "Api-Token " + destination["api_token"],
                "Content-Type": "text/plain; charset=utf-8"})
        url = destination["endpoint"]
        if url.count("/") < 3:
            url += "/v1/metrics"
        if destination.get("points", "summary") != "summary":
            request = expressed(request, destination["points"])
        if destination.get("protocol") == "http/json":
            body, media = json_format.MessageToJson(request).encode(), "application/json"
        else:
            body, media = request.SerializeToString(), "application/x-protobuf"
        headers = {"Content-Type": media}
        if destination.get("compression") == "gzip":
            body, headers["Content-Encoding"] = gzip.compress(body), "gzip"
        return post(url, body, headers)

    class Door(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.reply(b"ready")

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            delivery = json.loads(body)
            for n, record in enumerate(delivery["records"]):
                for message in records.messages(base64.b64decode(record["data"])):
                    request = service.ExportMetricsServiceRequest.FromString(message)
                    if n == 0:
                        spoil(request)
                    send(request)
            self.reply(json.dumps({"requestId": delivery["requestId"], "timestamp": 0}).encode())

        def reply(self, body):
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    for listen in (settings["admin"]["listen"], settings["sources"]["aws"]["listen"]):
        host, port = listen.split(":")
        server = http.server.ThreadingHTTPServer((host, int(port)), Door)
        threading.Thread(target=server.serve_forever).start()


main()
