#!/usr/bin/env python3
"""`bootstrap` in cargo-lambda's runtime emulator, beside moto (S3, SQS and its notifications) and a
destination read by opentelemetry-proto: batches of a queue, a killed function, a backfill, a Firehose
transformation, and how long a cold start takes.
"""
import base64
import http.server
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

import containers
import deliveries
import peers
from records import sets_of

BUCKET, FUNCTION = "metrics", "hydrant"
# An emulator whose function has gone never answers: nothing here waits longer.
ANSWER_SECONDS = 30
COLD_STARTS, COLD_START_MS = 21, 50


def cargo_lambda():
    """The emulator, wherever setup.sh or a person has put it."""
    named = os.environ.get("CARGO_LAMBDA")
    places = [named] if named else [peers.TOOLS / "cargo-lambda" / "bin" / "cargo-lambda",
                                    peers.TOOLS / "venv" / "bin" / "cargo-lambda"]
    for place in places:
        if pathlib.Path(place).exists():
            return place
    print(f"cargo-lambda is not at {' or '.join(map(str, places))}; tests-real/setup.sh gets it "
          "(pip install --no-deps cargo-lambda), CARGO_LAMBDA names another", file=sys.stderr)
    sys.exit(peers.UNAVAILABLE)


class Lambda:
    """The emulator, and the function as a process of ours."""

    def __init__(self, running, emulator, binary, variables):
        self.running, self.variables, self.starts = running, variables, 0
        folder = running.path / "lambda"
        (folder / "src").mkdir(parents=True)
        # The emulator wants a package to watch; with --only-lambda-apis it never builds it.
        (folder / "Cargo.toml").write_text('[package]\nname = "hydrant"\nversion = "0.1.0"\n'
                                           'edition = "2021"\n[workspace]\n')
        (folder / "src" / "main.rs").write_text("fn main() {}\n")
        self.bootstrap = folder / "bootstrap"
        shutil.copy(binary, self.bootstrap)
        port = peers.free_port()
        self.api = f"127.0.0.1:{port}"
        log = running.path / "cargo-lambda.log"
        running.logs["cargo-lambda"] = log
        with log.open("wb") as out:
            command = [str(emulator), "lambda", "watch", "--only-lambda-apis", "--ignore-changes",
                       "-A", "127.0.0.1", "-P", str(port)]
            watch = subprocess.Popen(command, stdout=out, stderr=out, cwd=folder)
        running.processes.append(watch)
        peers.wait_until("cargo-lambda starts", lambda: "starting Runtime" in log.read_text())
        self.start()

    def start(self):
        self.starts += 1
        env = {**peers.AWS, "AWS_LAMBDA_RUNTIME_API": f"{self.api}/.rt/{FUNCTION}",
               "AWS_LAMBDA_FUNCTION_NAME": FUNCTION, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
               "TMPDIR": str(self.running.path), **self.variables}
        name = f"function-{self.starts}"
        self.process = self.running.start(name, [self.bootstrap], env=env)
        log = self.running.logs[name]
        peers.wait_until("the function is ready", lambda: '"message":"ready"' in log.read_text())

    def invoke(self, event):
        """The answer; this emulator tells an error of the function as 500, with the error as body."""
        url = f"http://{self.api}/2015-03-31/functions/{FUNCTION}/invocations"
        request = urllib.request.Request(url, data=json.dumps(event).encode())
        try:
            with urllib.request.urlopen(request, timeout=ANSWER_SECONDS) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return json.loads(error.read())


def queue_with_notifications(running, endpoint):
    s3, sqs = running.client("s3", endpoint), running.client("sqs", endpoint)
    s3.create_bucket(Bucket=BUCKET,
                     CreateBucketConfiguration={"LocationConstraint": peers.AWS["AWS_REGION"]})
    url = sqs.create_queue(QueueName="objects", Attributes={"VisibilityTimeout": "1"})["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    s3.put_bucket_notification_configuration(Bucket=BUCKET, NotificationConfiguration={
        "QueueConfigurations": [{"QueueArn": arn["Attributes"]["QueueArn"],
                                 "Events": ["s3:ObjectCreated:*"]}]})
    return s3, sqs, url


def poll(function, sqs, url):
    """What Lambda's event source mapping does with partial responses: deletes all but those named.
    Returns how many were taken and how many failed."""
    found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    if not found:
        return 0, 0
    records = [{"messageId": m["MessageId"], "receiptHandle": m["ReceiptHandle"],
                "body": m["Body"], "eventSource": "aws:sqs"} for m in found]
    try:
        answer = function.invoke({"Records": records})
    except OSError:
        return 0, len(found)
    failed = {m["MessageId"] for m in found}
    if "batchItemFailures" in answer:
        failed = {item["itemIdentifier"] for item in answer["batchItemFailures"]}
    for message in found:
        if message["MessageId"] not in failed:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return len(found) - len(failed), len(failed)


def object_of(points, output_format, delimiter=b""):
    return b"".join(r + delimiter for r in deliveries.records_of(points, output_format))


def otlp_to(url, endpoint):
    return {"AWS_ENDPOINT_URL": endpoint, "HYDRANT_STREAM__DESTINATION__TYPE": "otlp",
            "HYDRANT_STREAM__DESTINATION__ENDPOINT": url}


def check_queue(emulator, binary):
    """Batches of a queue: all forms, one message that fails, a backfill of the same bucket."""
    sent = deliveries.points(seed=21, series=240, percentiles=True)
    forms = [(form, name) for form in deliveries.FORMATS for name in containers.ALL]
    with peers.Running() as running:
        endpoint = running.moto()
        s3, sqs, url = queue_with_notifications(running, endpoint)
        sink, requests = running.otlp_sink()
        function = Lambda(running, emulator, binary, otlp_to(sink, endpoint))
        size = -(-len(sent) // len(forms))
        for n, (form, name) in enumerate(forms):
            body = object_of(sent[n * size:(n + 1) * size], form, b"\n")
            s3.put_object(Bucket=BUCKET, Key=f"a b+\u00e9/{n}", Body=containers.ALL[name](body))
        bad = {"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": {
            "bucket": {"name": "of-nobody"}, "object": {"key": "x"}}}]}
        sqs.send_message(QueueUrl=url, MessageBody=json.dumps(bad))
        # The test event of S3 and the objects are taken; the bad one stays.
        taken = failed = 0
        end = time.monotonic() + peers.WAIT_SECONDS
        while taken < len(forms) + 1 or failed == 0:
            if time.monotonic() > end:
                raise SystemExit(f"FAILED: {taken} messages taken, {failed} failed")
            some = poll(function, sqs, url)
            taken, failed = taken + some[0], failed + some[1]
        if taken != len(forms) + 1:
            raise SystemExit(f"FAILED: {taken} messages were taken, not {len(forms) + 1}")
        sets, _ = deliveries.merged(requests)
        deliveries.same_points(sent, sets, f"{len(forms)} objects in batches of a queue")
        print("ok: the message of a bucket that is not there was named, and the others deleted")
        before = len(requests)
        answer = function.invoke({"bucket_name": BUCKET, "prefix": "a b+"})
        if answer.get("objects") != len(forms) or len(requests) == before:
            raise SystemExit(f"FAILED: backfill: {answer}")
        print(f"ok: a manual invocation delivers the {len(forms)} objects under a prefix again")
        answer = function.invoke({"key1": "value1"})
        if answer.get("errorType") != "Hydrant.UnknownEvent":
            raise SystemExit(f"FAILED: an unknown event is answered with {answer}")
        print("ok: an unknown event is an error of the function, in words")


def check_killed(emulator, binary):
    """A function killed in the middle of an invocation: the queue brings the message again."""
    sent = deliveries.points(seed=22, series=60)
    with peers.Running() as running:
        endpoint = running.moto()
        s3, sqs, url = queue_with_notifications(running, endpoint)
        reached, go_on = threading.Event(), threading.Event()

        def stuck(_path, _headers, _body):
            reached.set()
            go_on.wait(ANSWER_SECONDS)
            return 503, "text/plain", b"too late"

        hanging = running.serve(stuck)
        function = Lambda(running, emulator, binary, otlp_to(hanging, endpoint))
        s3.put_object(Bucket=BUCKET, Key="object", Body=object_of(sent, "json"))
        polling = threading.Thread(target=poll, args=(function, sqs, url), daemon=True)
        polling.start()
        if not reached.wait(peers.WAIT_SECONDS):
            raise SystemExit("FAILED: nothing was sent")
        function.process.kill()
        function.process.wait()
        go_on.set()
        sink, requests = running.otlp_sink()
        function.variables = otlp_to(sink, endpoint)
        function.start()

        def arrived():
            poll(function, sqs, url)
            return {p.identity() for p in sent} <= deliveries.merged(requests)[0].keys()

        peers.wait_until("it is brought again", arrived)
        deliveries.same_points(sent, deliveries.merged(requests)[0], "a function that was killed")


def check_transformation(emulator, binary):
    """Selection inside a Firehose stream: what stays is what was sent of one namespace."""
    sent = deliveries.points(seed=23, series=200, percentiles=True)
    namespace = sent[0].namespace
    wanted = [point for point in sent if point.namespace == namespace]
    records = deliveries.records_of(sent, "opentelemetry1.0") + [b"hello"]
    event = {"invocationId": "i", "region": "eu-west-1",
             "deliveryStreamArn": "arn:aws:firehose:eu-west-1:111122223333:deliverystream/d",
             "records": [{"recordId": str(n), "approximateArrivalTimestamp": 1,
                          "data": base64.b64encode(r).decode()} for n, r in enumerate(records)]}
    include = json.dumps([{"namespace": namespace}])
    with peers.Running() as running:
        function = Lambda(running, emulator, binary, {"HYDRANT_STREAM__INCLUDE": include})
        answer = function.invoke(event)["records"]
        if [r["recordId"] for r in answer] != [r["recordId"] for r in event["records"]]:
            raise SystemExit("FAILED: record ids are not those that were asked for, in order")
        if answer[-1]["result"] != "ProcessingFailed":
            raise SystemExit(f"FAILED: a record that is none: {answer[-1]}")
        kept = [base64.b64decode(r["data"]) for r in answer if r["result"] == "Ok"]
        if not 0 < len(wanted) < len(sent):
            raise SystemExit(f"FAILED: the filter is no test: {len(wanted)} of {len(sent)}")
        deliveries.same_points(wanted, sets_of(kept, "opentelemetry1.0"), "a transformation")


def check_cold_start(binary):
    """From starting the process to its first question for an invocation."""
    asked = threading.Event()

    class Api(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.at = time.perf_counter()
            asked.set()
            self.rfile.read()  # until the function is gone

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Api)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    env = {"AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{server.server_address[1]}",
           "HYDRANT_STREAM__DESTINATION__TYPE": "otlp",
           "HYDRANT_STREAM__DESTINATION__ENDPOINT": "https://collector.example.com:4318"}
    took = []
    with peers.Running() as running:
        env = {**os.environ, **env, "TMPDIR": str(running.path)}
        for _ in range(COLD_STARTS):
            asked.clear()
            begun = time.perf_counter()
            process = subprocess.Popen([binary, "lambda"], env=env, stderr=subprocess.DEVNULL)
            if not asked.wait(ANSWER_SECONDS):
                raise SystemExit("FAILED: the function asks for nothing")
            took.append((asked.at - begun) * 1000)
            process.kill()
            process.wait()
    server.shutdown()
    middle = statistics.median(took)
    told = f"cold start: median {middle:.1f} ms, {min(took):.1f} to {max(took):.1f} ms"
    if middle > COLD_START_MS and "debug" not in pathlib.Path(binary).parts:
        raise SystemExit(f"FAILED: {told}, more than {COLD_START_MS} ms")
    print(f"ok: {told}, of {COLD_STARTS}")


def main():
    peers.enter_venv()
    binary = peers.binary_from_arguments("check_lambda.py")
    emulator = cargo_lambda()
    if binary is None:
        print("ok: cargo-lambda is there")
        return
    check_cold_start(binary)
    check_queue(emulator, binary)
    check_killed(emulator, binary)
    check_transformation(emulator, binary)


if __name__ == "__main__":
    main()
