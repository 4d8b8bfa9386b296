#!/usr/bin/env python3
"""Objects of a bucket as a source, judged by moto (S3, SQS and its notifications), by s3s-fs (which
verifies signatures) and by opentelemetry-proto: every form and compression of Firehose, told by a
queue or found by listing; a killed reader, two readers of one queue, and objects that are none.
"""
import gzip
import json
import signal
import time

import containers
import deliveries
import peers
from deliveries import merged

BUCKET = "metrics"


def wait_for_points(requests, sent, what):
    wanted = {p.identity() for p in sent}
    peers.wait_until(f"{what}: all arrives", lambda: wanted <= merged(requests)[0].keys())
    sets, _ = merged(requests)
    deliveries.same_points(sent, sets, what)


def metrics(admin, name):
    """Samples of one metric of the admin port, by their labels."""
    found = {}
    for line in peers.get(admin + "/metrics").decode().splitlines():
        if line.startswith(name + "{") or line.startswith(name + " "):
            labels, value = line[len(name):].rsplit(" ", 1)
            found[labels] = float(value)
    return found


def queue_with_notifications(running, endpoint):
    s3, sqs = running.client("s3", endpoint), running.client("sqs", endpoint)
    s3.create_bucket(Bucket=BUCKET,
                     CreateBucketConfiguration={"LocationConstraint": peers.AWS["AWS_REGION"]})
    url = sqs.create_queue(QueueName="objects")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    s3.put_bucket_notification_configuration(Bucket=BUCKET, NotificationConfiguration={
        "QueueConfigurations": [{"QueueArn": arn["Attributes"]["QueueArn"],
                                 "Events": ["s3:ObjectCreated:*"]}]})
    return s3, sqs, url


def left_in(sqs, url):
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    told = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return sum(int(told[name]) for name in names)


def object_of(points, output_format, delimiter):
    records = deliveries.records_of(points, output_format)
    return b"".join(record + delimiter for record in records)


def check_queue(binary):
    """Every form in every compression, with and without Firehose's newline delimiter."""
    sent = deliveries.points(seed=11, series=360, percentiles=True)
    ways = [(form, name, delimiter) for form in deliveries.FORMATS for name in containers.ALL
            for delimiter in (b"", b"\n")]
    with peers.Running() as running:
        endpoint = running.moto()
        s3, sqs, url = queue_with_notifications(running, endpoint)
        sink, requests = running.otlp_sink()
        source = {"type": "s3", "sqs_queue_url": url, "endpoint_url": endpoint}
        stream = {"source": "bucket", "destination": {"type": "otlp", "endpoint": sink}}
        _, admin, data = running.hydrant_with(binary, {"bucket": source}, {"check": stream})
        size = -(-len(sent) // len(ways))
        for n, (form, name, delimiter) in enumerate(ways):
            body = containers.ALL[name](object_of(sent[n * size:(n + 1) * size], form, delimiter))
            # The name lies about the content: what counts is what is inside.
            s3.put_object(Bucket=BUCKET, Key=f"a b+\u00e9/{n}.parquet", Body=body)
        wait_for_points(requests, sent, f"{len(ways)} objects told by a queue")
        peers.wait_until("the queue is empty", lambda: left_in(sqs, url) == 0)
        print("ok: the queue is empty, the test event of S3 included")
        check_bad(s3, sqs, url, admin, data)


def check_bad(s3, sqs, url, admin, data):
    """Objects that are none: each ends in quarantine or is counted, and leaves the queue."""
    whole = containers.gzipped(object_of(deliveries.points(seed=12, series=30), "json", b""))
    bad = {"page.html": b"<html><body>no metrics</body></html>", "cut.gz": whole[:len(whole) // 2],
           "empty": b"", "noise": bytes(range(256)) * 40}
    for key, body in bad.items():
        s3.put_object(Bucket=BUCKET, Key=key, Body=body)
    event = {"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put",
                          "s3": {"bucket": {"name": BUCKET}, "object": {"key": "gone"}}}]}
    sqs.send_message(QueueUrl=url, MessageBody=json.dumps(event))
    peers.wait_until("the queue is empty again", lambda: left_in(sqs, url) == 0)
    kept = [p for p in (data / "quarantine").rglob("*") if p.is_file()]
    text = b"".join(p.read_bytes() for p in kept).decode(errors="replace")
    for key in ["page.html", "cut.gz", "noise", "gone"]:
        if key not in text:
            raise SystemExit(f"FAILED: nothing in quarantine names {key}: {text[:2000]}")
    rejected = metrics(admin, "hydrant_source_rejected_total")
    if sum(rejected.values()) < 4:
        raise SystemExit(f"FAILED: bad objects are not counted: {rejected}")
    print(f"ok: {len(bad) + 1} objects that are none left the queue, kept and counted by reason")


def check_killed(binary):
    """A reader killed in the middle of a large object: nothing is lost."""
    sent = deliveries.points(seed=13, series=20000, minutes=3)
    with peers.Running() as running:
        endpoint = running.moto()
        s3, sqs, url = queue_with_notifications(running, endpoint)
        sink, requests = running.otlp_sink()
        source = {"type": "s3", "sqs_queue_url": url, "endpoint_url": endpoint,
                  "visibility": "30s"}
        stream = {"source": "bucket", "start_from": "oldest",
                  "destination": {"type": "otlp", "endpoint": sink}}
        settings = {"bucket": source}, {"check": stream}
        process, _, data = running.hydrant_with(binary, *settings)
        s3.put_object(Bucket=BUCKET, Key="large", Body=object_of(sent, "json", b"\n"))
        peers.wait_until("some of it arrives", lambda: requests)
        process.send_signal(signal.SIGKILL)
        process.wait()
        before = len(merged(requests)[0])
        running.hydrant_with(binary, *settings, data=data)
        wait_for_points(requests, sent, f"killed after {before} of {len(sent)} points")
        peers.wait_until("the queue is empty", lambda: left_in(sqs, url) == 0)


def check_two(binary):
    """Two instances on one queue."""
    sent = deliveries.points(seed=14, series=400)
    with peers.Running() as running:
        endpoint = running.moto()
        s3, sqs, url = queue_with_notifications(running, endpoint)
        sink, requests = running.otlp_sink()
        source = {"type": "s3", "sqs_queue_url": url, "endpoint_url": endpoint}
        stream = {"source": "bucket", "destination": {"type": "otlp", "endpoint": sink}}
        for _ in range(2):
            running.hydrant_with(binary, {"bucket": source}, {"check": stream})
        for n in range(40):
            part = sent[n * len(sent) // 40:(n + 1) * len(sent) // 40]
            s3.put_object(Bucket=BUCKET, Key=f"{n}", Body=object_of(part, "opentelemetry1.0", b""))
        wait_for_points(requests, sent, "two instances on one queue")
        peers.wait_until("the queue is empty", lambda: left_in(sqs, url) == 0)


def check_listing(binary):
    """A prefix listed at an interval: what is there, what comes, and what comes late by name."""
    sent = deliveries.points(seed=15, series=300)
    third = len(sent) // 3
    with peers.Running() as running:
        endpoint, _ = running.s3s()
        s3 = running.client("s3", endpoint)
        s3.create_bucket(Bucket=BUCKET)
        sink, requests = running.otlp_sink()
        source = {"type": "s3", "bucket": BUCKET, "prefix": "cloudwatch/", "interval": "1s",
                  "endpoint_url": endpoint}
        stream = {"source": "bucket", "start_from": "oldest",
                  "destination": {"type": "otlp", "endpoint": sink}}

        def put(key, part):
            body = gzip.compress(object_of(part, "opentelemetry0.7", b"\n"))
            s3.put_object(Bucket=BUCKET, Key=key, Body=body)

        put("cloudwatch/2026/11/20/10/b", sent[:third])
        put("other/2026/11/20/10/b", deliveries.points(seed=16, series=30))
        settings = {"bucket": source}, {"check": stream}
        process, _, data = running.hydrant_with(binary, *settings)
        wait_for_points(requests, sent[:third], "a listed prefix")
        put("cloudwatch/2026/11/20/11/a", sent[third:2 * third])
        wait_for_points(requests, sent[:2 * third], "an object that came")
        put("cloudwatch/2026/11/20/10/a", sent[2 * third:])
        wait_for_points(requests, sent, "an object that came late by its name")
        count = len(requests)
        process.terminate()
        process.wait(30)
        _, admin, _ = running.hydrant_with(binary, *settings, data=data)
        new = deliveries.points(seed=17, series=30, minutes=1)
        put("cloudwatch/2026/11/20/12/a", new)
        peers.wait_until("the new one arrives", lambda: len(requests) > count)
        time.sleep(2)  # long enough for another round, which must find nothing
        again = merged(requests[count:])[0].keys() - {p.identity() for p in new}
        if again:
            raise SystemExit(f"FAILED: after a restart, {len(again)} points were read again")
        read = metrics(admin, "hydrant_source_records_total")
        print(f"ok: after a restart only what is new was read ({read})")


def main():
    peers.enter_venv()
    binary = peers.binary_from_arguments("check_s3.py")
    with peers.Running() as running:
        running.moto()
        running.s3s()
    print("ok: moto and s3s-fs start")
    if binary is None:
        return
    check_queue(binary)
    check_killed(binary)
    check_two(binary)
    check_listing(binary)


main()
