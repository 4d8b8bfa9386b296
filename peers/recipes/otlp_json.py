"""The steps of the recipe that turns JSON objects into OTLP in JSON, without S3, Lambda and OAuth2.

Parse each line, group by account and region, build the request, and POST it.
Usage: otlp_json.py URL OBJECT...; prints what it took as JSON.
"""

import json
import sys

import requests

from timing import measured


def text(key, value):
    return {"key": key, "value": {"stringValue": value}}


def converted(line):
    """A line as an OTLP metric; its dimensions are one attribute that holds JSON."""
    metric = json.loads(line)
    namespace, name = metric["namespace"], metric["metric_name"]
    value = metric["value"]
    point = {
        "timeUnixNano": str(metric["timestamp"] * 1_000_000),
        "count": str(int(value["count"])),
        "sum": value["sum"],
        "quantileValues": [
            {"quantile": 0.0, "value": value["min"]},
            {"quantile": 1.0, "value": value["max"]},
        ],
        "attributes": [
            text("Namespace", namespace),
            text("MetricName", name),
            text("Dimensions", json.dumps(metric["dimensions"])),
        ],
    }
    owner = (metric["account_id"], metric["region"])
    unit = "" if metric["unit"] == "None" else metric["unit"]
    full_name = f"amazonaws.com/{namespace}/{name}"
    return owner, {"name": full_name, "unit": unit, "summary": {"dataPoints": [point]}}


def resource(account, region):
    return {
        "attributes": [
            text("cloud.provider", "aws"),
            text("cloud.account.id", account),
            text("cloud.region", region),
            text("service.name", "aws-cloudwatch"),
        ]
    }


def forward(url, data):
    """Sends an object as one request, as the recipe does."""
    by_owner = {}
    for line in data.decode().split("\n"):
        if line.strip():
            owner, metric = converted(line)
            by_owner.setdefault(owner, []).append(metric)
    groups = [
        {"resource": resource(*owner), "scopeMetrics": [{"scope": {"name": "cloudwatch"}, "metrics": metrics}]}
        for owner, metrics in by_owner.items()
    ]
    answer = requests.post(url, json={"resourceMetrics": groups})
    if answer.status_code != 200:
        print(answer.status_code, answer.text[:200], file=sys.stderr)


if __name__ == "__main__":
    measured(forward, sys.argv[1], sys.argv[2:])
