"""The steps of the recipe that forwards OpenTelemetry 1.0 objects, without S3 and Lambda.

Split an object into messages, parse each, add `service.name`, serialise it, and POST it.
Usage: otlp.py URL OBJECT...; prints what it took as JSON.
"""

import sys

import requests
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from timing import measured


def messages(data):
    """The messages of an object, each behind its length as a varint."""
    at = 0
    while at < len(data):
        length = shift = 0
        while True:
            byte = data[at]
            at += 1
            length |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        message = ExportMetricsServiceRequest()
        message.ParseFromString(data[at : at + length])
        at += length
        yield message


def forward(url, data):
    """Sends every message of an object, as the recipe does: one request each."""
    for message in messages(data):
        for resource_metrics in message.resource_metrics:
            attribute = resource_metrics.resource.attributes.add()
            attribute.key = "service.name"
            attribute.value.string_value = "aws-cloudwatch"
        headers = {"Content-Type": "application/x-protobuf"}
        answer = requests.post(url, data=message.SerializeToString(), headers=headers)
        if answer.status_code != 200:
            print(answer.status_code, answer.text[:200], file=sys.stderr)


if __name__ == "__main__":
    measured(forward, sys.argv[1], sys.argv[2:])
