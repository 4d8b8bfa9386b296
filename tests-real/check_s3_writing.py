#!/usr/bin/env python3
"""S3 as a destination and as the place of the backup, judged by moto (S3 and its errors) and by
s3s-fs (which verifies signatures and checksums): every compression read back by other people's
libraries, a bucket that comes late, and a writer killed again and again.
"""
import base64
import gzip
import io
import json
import re
import signal
import struct
import time
import zipfile

import deliveries
import peers
import records

BUCKET = "metrics"
NAME = re.compile(r"check-1-\d{4}(-\d\d){5}-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(\.\w+)?$")


def raw_snappy(block):
    import cramjam
    return bytes(cramjam.snappy.decompress_raw(block))


def blocks(data, at):
    """Blocks behind their length."""
    while at < len(data):
        (length,) = struct.unpack_from(">i", data, at)
        yield raw_snappy(data[at + 4:at + 4 + length])
        at += 4 + length


def snappy(data):
    assert data[:8] == b"\x82SNAPPY\x00" and struct.unpack_from(">ii", data, 8) == (1, 1)
    return b"".join(blocks(data, 16))


def hadoop_snappy(data):
    out, at = b"", 0
    while at < len(data):
        plain, length = struct.unpack_from(">II", data, at)
        block = raw_snappy(data[at + 8:at + 8 + length])
        assert len(block) == plain, "our blocks have one chunk"
        out, at = out + block, at + 8 + length
    return out


def unzipped(data):
    archive = zipfile.ZipFile(io.BytesIO(data))
    (name,) = archive.namelist()
    return archive.read(name)


def unzstd(data):
    import cramjam
    return bytes(cramjam.zstd.decompress(data))


COMPRESSIONS = {"none": bytes, "gzip": gzip.decompress, "zip": unzipped, "snappy": snappy,
                "hadoop_snappy": hadoop_snappy, "zstd": unzstd}


def sets_of_json(data):
    """(identity, values) of CloudWatch's JSON lines, as `deliveries` has them."""
    found = {}
    for line in data.decode().splitlines():
        point = json.loads(line)
        value = point["value"]
        identity = (point["account_id"], point["region"], point["namespace"],
                    point["metric_name"], tuple(sorted(point["dimensions"].items())),
                    point["timestamp"] * 10**6)
        found[identity] = (value["min"], value["max"], value["sum"], value["count"],
                           value.get("p99"))
    return found


def frames(data):
    """The messages of OpenTelemetry behind their lengths."""
    from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2 as service
    return [service.ExportMetricsServiceRequest.FromString(message)
            for message in records.messages(data)]


def objects(s3, prefix=""):
    """Keys and bodies below a prefix."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
    keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
    return {key: s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in keys}


def points_of(s3, output_format, unpack):
    found = {}
    for key, body in objects(s3).items():
        if not NAME.search(key):
            raise SystemExit(f"FAILED: a key that is not Firehose's: {key}")
        if output_format == "json":
            found.update(sets_of_json(unpack(body)))
        else:
            found.update(deliveries.merged(frames(unpack(body)))[0])
    return found


def source():
    port = peers.free_port()
    settings = {"aws": {"type": "firehose", "listen": f"127.0.0.1:{port}",
                        "access_keys": [deliveries.KEY]}}
    return settings, f"http://127.0.0.1:{port}/"


def to_bucket(endpoint, **more):
    return {"source": "aws", "buffering": {"interval": "0s"},
            "destination": {"type": "s3", "bucket": BUCKET, "endpoint_url": endpoint, **more}}


def tokyo_day():
    return time.strftime("cw/%Y/%m/%d/", time.gmtime(time.time() + 9 * 3600))


def check_destination(binary):
    """Every compression, and every form."""
    ways = [("json", name) for name in COMPRESSIONS] + [("opentelemetry1.0", "gzip")]
    sent = deliveries.points(seed=21, series=300, percentiles=True)
    for output_format, compression in ways:
        with peers.Running() as running:
            endpoint, _ = running.s3s()
            s3 = running.client("s3", endpoint)
            s3.create_bucket(Bucket=BUCKET)
            sources, url = source()
            prefix = "cw/!{timestamp:yyyy/MM/dd/}"
            stream = to_bucket(endpoint, format=output_format, compression=compression,
                               prefix=prefix, custom_time_zone="Asia/Tokyo")
            days = [tokyo_day()]
            running.hydrant_with(binary, sources, {"check": stream})
            deliveries.deliver_all(url, sent)
            unpack = COMPRESSIONS[compression]
            peers.wait_until("all is in the bucket", lambda: len(points_of(
                s3, output_format, unpack)) >= len(sent))
            days.append(tokyo_day())
            if not all(key.startswith(tuple(days)) for key in objects(s3)):
                raise SystemExit(f"FAILED: keys are not below {days}: {list(objects(s3))}")
            deliveries.same_points(sent, points_of(s3, output_format, unpack),
                                   f"objects of {output_format}, {compression}")


def check_killed(binary):
    """A writer killed again and again: nothing is lost, and the keys say when it was repeated."""
    sent = deliveries.points(seed=22, series=6000, minutes=2)
    with peers.Running() as running:
        endpoint, _ = running.s3s()
        s3 = running.client("s3", endpoint)
        s3.create_bucket(Bucket=BUCKET)
        data = None
        for at in range(0, len(sent), len(sent) // 4):
            sources, url = source()
            process, _, data = running.hydrant_with(
                binary, sources, {"check": to_bucket(endpoint)}, data=data)
            deliveries.deliver_all(url, sent[at:at + len(sent) // 4], deliveries=8)
            process.send_signal(signal.SIGKILL)
            process.wait()
        before = len(points_of(s3, "json", gzip.decompress))
        sources, _ = source()
        running.hydrant_with(binary, sources, {"check": to_bucket(endpoint)}, data=data)
        peers.wait_until("all is in the bucket", lambda: len(points_of(
            s3, "json", gzip.decompress)) >= len(sent))
        deliveries.same_points(sent, points_of(s3, "json", gzip.decompress),
                               f"killed four times, with {before} points there at the last kill")


def backed_up(s3, prefix):
    """The points of the failed records below a prefix."""
    found = {}
    for body in objects(s3, prefix).values():
        for line in gzip.decompress(body).splitlines():
            record = base64.b64decode(json.loads(line)["rawData"])
            found.update(deliveries.merged(frames(record))[0])
    return found


def waiting(data):
    return [p for p in (data / "backup").rglob("*") if p.is_file()]


def utc_day():
    return time.strftime("failed/http-endpoint-failed/%Y/%m/%d/", time.gmtime())


def check_backup(binary):
    """What a destination refuses, while there is no bucket; then killed; then there is one."""
    sent = deliveries.points(seed=23, series=600, percentiles=True)
    with peers.Running() as running:
        endpoint = running.moto()
        s3 = running.client("s3", endpoint)
        refusing = running.serve(lambda path, headers, body: (400, "text/plain", b"never"))
        stream = {"source": "aws", "destination": {"type": "otlp", "endpoint": refusing},
                  "backup": {"mode": "all_data",
                             "s3": {"bucket": BUCKET, "prefix": "all/", "endpoint_url": endpoint,
                                    "error_output_prefix":
                                        "failed/!{firehose:error-output-type}/"
                                        "!{timestamp:yyyy/MM/dd/HH/}"}}}
        sources, url = source()
        days = [utc_day()]
        process, admin, data = running.hydrant_with(binary, sources, {"check": stream})
        deliveries.deliver_all(url, sent)
        peers.wait_until("the backup waits in its folder", lambda: waiting(data))
        peers.wait_until("the missing bucket is logged", lambda: "NoSuchBucket" in
                         running.logs[next(n for n in running.logs if "hydrant" in n)].read_text())
        print("ok: without its bucket the backup stays in its folder, and the log says why")
        process.send_signal(signal.SIGKILL)
        process.wait()
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={
            "LocationConstraint": peers.AWS["AWS_REGION"]})
        sources, _ = source()
        # The copy of all data is written at 5 MiB or after 300 s: what is failed comes first.
        running.hydrant_with(binary, sources, {"check": stream}, data=data)
        # Not all may have been refused before the kill: the rest comes to the folder first.
        failed = "failed/http-endpoint-failed/"
        peers.wait_until("all is in the bucket", lambda: len(backed_up(s3, failed)) >= len(sent))
        peers.wait_until("the folder is empty", lambda: not [
            p for p in waiting(data) if p.suffix == ".json"])
        days.append(utc_day())
        if not all(key.startswith(tuple(days)) for key in objects(s3, "failed/")):
            raise SystemExit(f"FAILED: keys are not below {days}: {list(objects(s3, 'failed/'))}")
        deliveries.same_points(sent, backed_up(s3, failed), "the backup in the bucket")


def main():
    peers.enter_venv()
    binary = peers.binary_from_arguments("check_s3_writing.py")
    with peers.Running() as running:
        running.moto()
        running.s3s()
    print("ok: moto and s3s-fs start")
    if binary is None:
        return
    check_destination(binary)
    check_killed(binary)
    check_backup(binary)


if __name__ == "__main__":
    main()
