#!/usr/bin/env python3
"""Replay from a bucket of moto, judged by opentelemetry-proto: Firehose's error objects in every
compression and separation, and archives of every form; killed half way, beside a running process
and without one; what is denied, missing or no bucket.
"""
import base64
import json
import os
import subprocess
import time

import containers
import deliveries
import peers
from deliveries import merged

BUCKET = "metrics"
ENV = {**os.environ, **peers.AWS}


def failed_lines(points, output_format, arrival, separator):
    lines = []
    for n, record in enumerate(deliveries.records_of(points, output_format)):
        lines.append(json.dumps({
            "attemptsMade": 9, "arrivalTimestamp": arrival,
            "errorCode": "HttpEndpoint.DestinationException", "errorMessage": "503",
            "attemptEndingTimestamp": arrival + 300000,
            "rawData": base64.b64encode(record).decode(), "subsequenceNumber": 0,
            "dataId": f"{arrival:056d}{n}.0"}))
    return separator.join(lines).encode()


def replay(binary, settings, *arguments, code=0):
    done = subprocess.run([str(binary), "replay", "-c", str(settings), "--output", "json",
                           *map(str, arguments)], capture_output=True, env=ENV, timeout=300)
    if done.returncode != code:
        raise SystemExit(f"FAILED: exit {done.returncode}, not {code}: {done.stderr.decode()}")
    return json.loads(done.stdout) if done.stdout else {}, done.stderr.decode()


def settings_of(running, sink):
    file = running.path / "replay.yaml"
    file.write_text(json.dumps({
        "data_dir": str(running.path / "data"),
        "admin": {"listen": f"127.0.0.1:{peers.free_port()}"},
        "sources": {"aws": {"type": "firehose", "listen": f"127.0.0.1:{peers.free_port()}",
                            "access_keys": [deliveries.KEY]}},
        "streams": {"out": {"source": "aws",
                            "destination": {"type": "otlp", "endpoint": sink}}}}))
    return file


def points_in(requests):
    return sum(len(metric.summary.data_points) for request in list(requests)
               for resource in request.resource_metrics for scope in resource.scope_metrics
               for metric in scope.metrics)


def check_forms(binary):
    """Every form in every compression, as error objects and as archives, in one go without a process."""
    sent = deliveries.points(seed=31, series=600, percentiles=True)
    ways = [(form, name, kind) for form in deliveries.FORMATS for name in containers.ALL
            for kind in ("failed", "archive")]
    with peers.Running() as running:
        endpoint = running.moto()
        s3 = running.client("s3", endpoint)
        place = {"LocationConstraint": peers.AWS["AWS_REGION"]}
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=place)
        sink, requests = running.otlp_sink()
        settings = settings_of(running, sink)
        size = -(-len(sent) // len(ways))
        arrival = int(time.time() * 1000) - 3_600_000
        for n, (form, name, kind) in enumerate(ways):
            chosen = sent[n * size:(n + 1) * size]
            separator = ["\n", "\r\n", ""][n % 3]
            body = (failed_lines(chosen, form, arrival + n, separator) if kind == "failed"
                    else b"".join(deliveries.records_of(chosen, form)))
            s3.put_object(Bucket=BUCKET, Key=f"{kind} a+b/{n}.parquet",
                          Body=containers.ALL[name](body))
        time.sleep(1.1)  # S3 tells whole seconds; what is newer than the replay is left alone
        source = [f"s3://{BUCKET}/", "--to", "out", "--endpoint-url", endpoint]
        told, _ = replay(binary, settings, *source, "--dry-run")
        if (told["points"], told["objects"], told["broken"]) != (len(sent), len(ways), 0):
            raise SystemExit(f"FAILED: dry run of {len(sent)} points: {told}")
        told, _ = replay(binary, settings, *source)
        deliveries.same_points(sent, merged(requests)[0], f"{len(ways)} objects put back from S3")
        before = points_in(requests)
        told, _ = replay(binary, settings, *source)
        if told["points"] or points_in(requests) != before:
            raise SystemExit(f"FAILED: put back twice: {told}")
        print("ok: nothing is put back a second time")
        _, words = replay(binary, settings, f"s3://{BUCKET}/nothing/", "--to", "out",
                          "--endpoint-url", endpoint, code=1)
        _, words = replay(binary, settings, "s3://no-such-bucket-here/", "--to", "out",
                          "--endpoint-url", endpoint, code=1)
        if "no-such-bucket-here" not in words:
            raise SystemExit(f"FAILED: a bucket that is not there is not named: {words}")
        print("ok: an empty prefix and a bucket that is not there are told")


def check_killed(binary):
    """A replay killed half way, beside a running process and an S3 that verifies signatures."""
    sent = deliveries.points(seed=32, series=4000, minutes=3)
    with peers.Running() as running:
        endpoint, root = running.s3s()
        (root / BUCKET).mkdir(exist_ok=True)
        s3 = running.client("s3", endpoint)
        arrival = int(time.time() * 1000) - 3_600_000
        for n in range(20):
            chosen = sent[n * 600:(n + 1) * 600]
            body = failed_lines(chosen, "opentelemetry1.0", arrival + n, "\n")
            s3.put_object(Bucket=BUCKET, Key=f"http-endpoint-failed/{n:02}",
                          Body=containers.gzipped(body))
        time.sleep(1.1)
        sink, requests = running.otlp_sink()
        settings = settings_of(running, sink)
        running.start("hydrant", [binary, "run", "-c", settings], env=peers.AWS)
        status = [str(binary), "status", "-c", str(settings)]
        peers.wait_until("hydrant runs", lambda: b" process " in subprocess.run(
            status, capture_output=True).stdout)
        source = [f"s3://{BUCKET}/http-endpoint-failed/", "--to", "out", "--endpoint-url", endpoint]
        first = running.start("replay", [binary, "replay", "-c", settings, *source, "--rate",
                                         "4000"], env=peers.AWS)
        peers.wait_until("some of it arrives", lambda: points_in(requests) > 2000)
        first.kill()
        first.wait()
        before = points_in(requests)
        told, _ = replay(binary, settings, *source)
        wanted = {p.identity() for p in sent}
        peers.wait_until("all arrives", lambda: wanted <= merged(requests)[0].keys())
        deliveries.same_points(sent, merged(requests)[0],
                               f"a replay killed after {before} of {len(sent)} points")
        if points_in(requests) != len(sent):
            raise SystemExit(f"FAILED: {points_in(requests)} points for {len(sent)}: some came twice")
        print("ok: each point came once")


def main():
    peers.enter_venv()
    binary = peers.binary_from_arguments("check_replay.py")
    with peers.Running() as running:
        running.moto()
        running.s3s()
    print("ok: moto and s3s-fs start")
    if binary is None:
        return
    check_forms(binary)
    check_killed(binary)


if __name__ == "__main__":
    main()
