"""Delivery streams to S3, and the S3 backup of those to an HTTP endpoint: written to moto and to
s3s-fs, which verifies signatures, and read back by other people's libraries.
"""
import base64
import json
import re
import time

import firehose_receiver
import peers
from check_s3_writing import COMPRESSIONS
from cloud import place as places
from cloud.boto import same
from cloud.place import BUCKET

# As the API writes it: how it is undone, and what is in key and metadata.
WAYS = {"UNCOMPRESSED": ("none", "", None), "GZIP": ("gzip", ".gz", "gzip"),
        "ZIP": ("zip", ".zip", "zip"), "Snappy": ("snappy", ".snappy", "snappy-java"),
        "HADOOP_SNAPPY": ("hadoop_snappy", ".snappy", "hadoop-snappy")}
UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
RANDOM = r"[0-9a-f-]{11}"
TOKYO = 9 * 3600


def records(name, count=200):
    """Records that are no metrics, of all bytes and of none."""
    odd = [b"", bytes(range(256)), "\u00e4 \u2713".encode()]
    return odd + [f"{name} {n} ".encode() * (n % 50) for n in range(count - len(odd))]


class Bucket:
    """A Hydrant whose buckets are at this S3."""

    def __init__(self, running, binary, endpoint, server):
        self.server, self.s3 = server, running.client("s3", endpoint)
        self.s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={
            "LocationConstraint": peers.AWS["AWS_REGION"]})
        self.place = places.Place(running, binary, endpoint)
        self.firehose = self.place.client("firehose")

    def put(self, name, sent):
        """By a batch, and the last one by itself."""
        answer = self.firehose.put_record_batch(
            DeliveryStreamName=name, Records=[{"Data": data} for data in sent[:-1]])
        same(answer["FailedPutCount"], 0, "records of a batch that failed")
        self.firehose.put_record(DeliveryStreamName=name, Record={"Data": sent[-1]})

    def objects(self, prefix):
        """Key, content encoding and body of what lies below a prefix."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
        found = {}
        for key in [item["Key"] for page in pages for item in page.get("Contents", [])]:
            got = self.s3.get_object(Bucket=BUCKET, Key=key)
            found[key] = (got.get("ContentEncoding"), got["Body"].read())
        return found

    def arrives(self, prefix, total, unpack, what):
        """Waits until the objects hold that many bytes; returns them."""
        def whole():
            found = self.objects(prefix)
            return found if sum(len(unpack(b)) for _, b in found.values()) >= total else None

        return peers.wait_until(f"{self.server}: {what}", whole)


def expected_day(offset=0):
    return time.strftime("%Y/%m/%d", time.gmtime(time.time() + offset))


def judge_keys(found, pattern, encoding, what):
    for key, (got, _) in found.items():
        if not re.fullmatch(pattern, key):
            raise SystemExit(f"FAILED: {what}: the key {key} is not {pattern}")
        same(got, encoding, f"{what}: Content-Encoding of {key}")


def extended(bucket):
    """Every compression, with expressions, a time zone and a delimiter after each record."""
    for compression, (name, ending, encoding) in WAYS.items():
        stream = f"extended-{name.replace('_', '-')}"
        extension = ".own" if compression == "ZIP" else ""
        bucket.firehose.create_delivery_stream(
            DeliveryStreamName=stream,
            ExtendedS3DestinationConfiguration={
                **places.bucket(f"{stream}/!{{timestamp:yyyy/MM/dd}}/!{{firehose:random-string}}/"),
                "ErrorOutputPrefix": "errors/!{firehose:error-output-type}/",
                "CompressionFormat": compression, "CustomTimeZone": "Asia/Tokyo",
                "FileExtension": extension,
                "ProcessingConfiguration": {"Enabled": True, "Processors": [
                    {"Type": "AppendDelimiterToRecord", "Parameters": [
                        {"ParameterName": "Delimiter", "ParameterValue": "\\n"}]}]}})
        sent = records(stream)
        day = expected_day(TOKYO)
        bucket.put(stream, sent)
        unpack = COMPRESSIONS[name]
        total = sum(len(data) + 1 for data in sent)
        found = bucket.arrives(f"{stream}/", total, unpack, stream)
        # Records of a batch stay together and in order; the single one is before or after.
        bodies = {unpack(body) for _, body in found.values()}
        first = b"".join(data + b"\n" for data in sent[:-1])
        last = sent[-1] + b"\n"
        if bodies not in ({first, last}, {first + last}, {last + first}):
            raise SystemExit(f"FAILED: {bucket.server}: {stream}: other bytes: "
                             f"{[len(b) for b in bodies]}, sent {len(first)} and {len(last)}")
        key = (f"{stream}/{day}/{RANDOM}/{stream}-1-\\d{{4}}(-\\d\\d){{5}}-{UUID}"
               + re.escape(extension or ending))
        judge_keys(found, key, encoding, f"{bucket.server}: {stream}")
    print(f"ok: {bucket.server}: extended S3 in {len(WAYS)} compressions, with expressions, a time "
          "zone, delimiters and an extension")


def plain(bucket):
    """S3DestinationConfiguration with no prefix; the key has the version of the configuration."""
    configuration = places.bucket("")
    del configuration["Prefix"], configuration["ErrorOutputPrefix"]
    bucket.firehose.create_delivery_stream(DeliveryStreamName="plain",
                                           S3DestinationConfiguration=configuration)
    bucket.firehose.update_destination(
        DeliveryStreamName="plain", CurrentDeliveryStreamVersionId="1",
        DestinationId="destinationId-000000000001",
        S3DestinationUpdate={"CompressionFormat": "GZIP"})
    sent = records("plain", 20)
    hour = time.strftime("%Y/%m/%d/%H/", time.gmtime())
    bucket.put("plain", sent)
    unpack = COMPRESSIONS["gzip"]
    found = bucket.arrives(hour, sum(map(len, sent)), unpack, "a plain destination")
    judge_keys(found, f"{hour}plain-2-\\d{{4}}(-\\d\\d){{5}}-{UUID}\\.gz", "gzip", "plain")
    arrived = sorted(unpack(body) for _, body in found.values())
    same(sorted(b"".join(arrived)), sorted(b"".join(sent)), "bytes of a plain destination")
    print(f"ok: {bucket.server}: a plain S3 destination, below the hour, after an update")


def backups(bucket, running):
    """FailedDataOnly keeps what is refused, as Firehose's lines; AllData keeps all, as it came."""
    refusing = running.serve(lambda path, headers, body: (400, "text/plain", b"never"))
    receiver = firehose_receiver.Receiver(running, places.stream_arn("all"), places.ATTRIBUTES)
    quick = {"RetryOptions": {"DurationInSeconds": 0}}
    failed = {**places.bucket("normal/"), "CompressionFormat": "GZIP",
              "ErrorOutputPrefix": "kept/!{firehose:error-output-type}/!{timestamp:yyyy}/"}
    create = bucket.firehose.create_delivery_stream
    create(DeliveryStreamName="failed", HttpEndpointDestinationConfiguration=places.http_endpoint(
        refusing, failed, S3BackupMode="FailedDataOnly", **quick))
    create(DeliveryStreamName="all", HttpEndpointDestinationConfiguration=places.http_endpoint(
        receiver.url, places.bucket("all/!{timestamp:yyyy}/", ErrorOutputPrefix=(
            "all-failed/!{firehose:error-output-type}/")), S3BackupMode="AllData", **quick))
    sent = records("backup", 60)
    year = time.strftime("%Y", time.gmtime())
    bucket.put("failed", sent)
    bucket.put("all", sent)
    unpack = COMPRESSIONS["gzip"]

    def lines():
        found = bucket.objects(f"kept/http-endpoint-failed/{year}/")
        rows = [json.loads(line) for _, body in found.values()
                for line in unpack(body).splitlines()]
        return rows if len(rows) >= len(sent) else None

    rows = peers.wait_until(f"{bucket.server}: refused records are kept", lines)
    same(sorted(base64.b64decode(row["rawData"]) for row in rows), sorted(sent),
         "records of the failed lines")
    for row in rows:
        same(row["errorCode"].startswith("HttpEndpoint."), True, f"errorCode {row['errorCode']}")
        same(("never" in row["errorMessage"], row["attemptsMade"] >= 1,
              row["arrivalTimestamp"] <= row["attemptEndingTimestamp"]), (True, True, True),
             f"a failed line: {row}")
    same(bucket.objects("normal/"), {}, "objects below the prefix of FailedDataOnly")
    found = bucket.arrives(f"all/{year}/", sum(map(len, sent)), bytes, "AllData is kept")
    whole = b"".join(body for _, body in found.values())
    same(sorted(whole), sorted(b"".join(sent)), "bytes of AllData")
    peers.wait_until("the endpoint has it all too", lambda: len(receiver.records()) >= len(sent))
    same(sorted(receiver.records()), sorted(sent), "records at the endpoint")
    same(bucket.objects("all-failed/"), {}, "failed records of AllData")
    if receiver.faults:
        raise SystemExit(f"FAILED: {bucket.server}: {sorted(set(receiver.faults))[:5]}")
    print(f"ok: {bucket.server}: the backups FailedDataOnly and AllData of an HTTP endpoint")


def check(running, binary):
    for server in ("moto", "s3s-fs"):
        endpoint = running.moto() if server == "moto" else running.s3s()[0]
        bucket = Bucket(running, binary, endpoint, server)
        extended(bucket)
        plain(bucket)
        backups(bucket, running)
