"""What is put, in every form of a datum, and the statistic sets that must come of it.

Values are multiples of a quarter, so that sums are exact in whatever order they are made.
"""
import time

import deliveries

UNITS = {"Percent": "%", "Count": "{Count}", "None": "1", "Milliseconds": "ms"}
REGION = "eu-west-1"
ACCOUNT = "111122223333"
PERCENTILE_OF = "Latency"  # the metric that has a p99


def dimensions(**named):
    return [{"Name": name, "Value": value} for name, value in named.items()]


def data(now=None):
    """Datums of minutes that are over, as SDKs take them; times are whole seconds."""
    last = int((now or time.time()) // 60) * 60 - 120
    out = []
    for minute in (last, last - 60, last - 180):
        for n in range(4):
            out.append({"MetricName": "Orders", "Timestamp": minute + 10 * n, "Value": 3.25 * n + 1,
                        "Unit": "Count"})
        out.append({"MetricName": PERCENTILE_OF, "Timestamp": minute + 59, "Unit": "Milliseconds",
                    "Dimensions": dimensions(Service="checkout", Zone="a=b, \"c\" & <d>"),
                    "Values": [n / 4 for n in range(1, 101)], "Counts": [2.0] * 100})
        out.append({"MetricName": "Load", "Timestamp": minute, "Unit": "Percent",
                    "Dimensions": dimensions(Host="h-1"),
                    "StatisticValues": {"SampleCount": 8.0, "Sum": 50.5, "Minimum": -1.0,
                                        "Maximum": 40.25}})
        out.append({"MetricName": "Load", "Timestamp": minute + 30, "Unit": "Percent",
                    "Dimensions": dimensions(Host="h-1"), "Value": 99.75, "StorageResolution": 1})
    for host in range(40):
        out.append({"MetricName": "Queue depth", "Timestamp": last + 1, "Unit": "None",
                    "Dimensions": dimensions(Queue=f"q-{host}", Host="h-2"), "Value": host / 2})
    return out


def samples_of(datum):
    """(weight, total, least, greatest) of a datum's parts."""
    if "StatisticValues" in datum:
        given = datum["StatisticValues"]
        return [(given["SampleCount"], given["Sum"], given["Minimum"], given["Maximum"])]
    values = datum.get("Values", [datum.get("Value")])
    counts = datum.get("Counts", [1.0] * len(values))
    return [(count, value * count, value, value) for value, count in zip(values, counts)]


def nearest_rank(parts, share):
    """The percentile of values with weights, when each part is a value."""
    values = sorted(low for weight, _, low, _ in parts for _ in range(int(weight)))
    return values[max(0, -(-len(values) * share // 100) - 1)]


def points(namespace, datums, account=ACCOUNT):
    """The statistic sets of these datums."""
    series = {}
    for datum in datums:
        named = tuple((d["Name"], d["Value"]) for d in datum.get("Dimensions", []))
        key = (datum["MetricName"], named, datum["Unit"], datum["Timestamp"] // 60 * 60)
        series.setdefault(key, []).extend(samples_of(datum))
    out = []
    for (name, named, unit, minute), parts in series.items():
        weights, totals, lows, highs = zip(*parts)
        p99 = nearest_rank(parts, 99) if name == PERCENTILE_OF else None
        out.append(deliveries.Point(
            account, REGION, namespace, name, dict(named), UNITS[unit], minute * 10**9,
            min(lows), max(highs), sum(totals), sum(weights), p99))
    return out
