"""boto3: every operation of both services, each of CloudWatch in all three protocols."""
import datetime
import time

from cloud import place as places
from cloud import samples
from cloud.place import ACCOUNT, REGION, ROLE

PROTOCOLS = ["json", "query", "smithy-rpc-v2-cbor"]
FIREHOSE = {"CreateDeliveryStream", "DeleteDeliveryStream", "DescribeDeliveryStream",
            "ListDeliveryStreams", "ListTagsForDeliveryStream", "PutRecord", "PutRecordBatch",
            "StartDeliveryStreamEncryption", "StopDeliveryStreamEncryption", "TagDeliveryStream",
            "UntagDeliveryStream", "UpdateDestination"}
CLOUDWATCH = {"PutMetricData", "PutMetricStream", "GetMetricStream", "ListMetricStreams",
              "StartMetricStreams", "StopMetricStreams", "DeleteMetricStream", "TagResource",
              "UntagResource", "ListTagsForResource", "ListMetrics", "GetMetricStatistics",
              "GetMetricData"}


def same(got, wanted, what):
    if got != wanted:
        raise SystemExit(f"FAILED: {what}: {got!r} instead of {wanted!r}")


def counted(client, calls):
    """Notes in `calls` which operations were answered 2xx."""
    def note(parsed, model, http_response, **_):
        if http_response.status_code < 300:
            calls.add(model.name)

    client.meta.events.register("after-call", note)
    return client


def metric_stream(name, namespace, target, output_format):
    """Members of PutMetricStream."""
    statistics = [{"IncludeMetrics": [{"Namespace": namespace,
                                       "MetricName": samples.PERCENTILE_OF}],
                   "AdditionalStatistics": ["p99"]}]
    return {"Name": name, "FirehoseArn": places.stream_arn(target), "RoleArn": ROLE,
            "OutputFormat": output_format, "IncludeFilters": [{"Namespace": namespace}],
            "StatisticsConfigurations": statistics}


def make(place, targets):
    """The streams of `targets`, then all samples: a part of them by each protocol, and the sums are
    folded across them. Returns the points that must arrive."""
    firehose = place.client("firehose")
    clients = [place.client("cloudwatch", protocol=protocol) for protocol in PROTOCOLS]
    for n, (name, url, output_format) in enumerate(targets.streams):
        arn = firehose.create_delivery_stream(
            DeliveryStreamName=name, HttpEndpointDestinationConfiguration=places.http_endpoint(
                url, places.bucket(f"{name}/")))["DeliveryStreamARN"]
        same(arn, places.stream_arn(name), "the stream's ARN")
        clients[n % 3].put_metric_stream(
            **metric_stream(name, targets.namespace, name, output_format))
    datums = samples.data()
    for n, client in enumerate(clients):
        client.put_metric_data(Namespace=targets.namespace, MetricData=datums[n::3])
    return samples.points(targets.namespace, datums)


def firehose_operations(place, calls):
    firehose = counted(place.client("firehose"), calls)
    backup = places.bucket("operations/")
    for n in range(3):
        firehose.create_delivery_stream(
            DeliveryStreamName=f"operations-{n}", DeliveryStreamType="DirectPut",
            HttpEndpointDestinationConfiguration=places.http_endpoint(place.own["json"], backup),
            Tags=[{"Key": "team", "Value": "blau"}, {"Key": "stage", "Value": "prod"}])
    told = firehose.describe_delivery_stream(DeliveryStreamName="operations-0")
    told = told["DeliveryStreamDescription"]
    same((told["DeliveryStreamStatus"], told["VersionId"], told["HasMoreDestinations"]),
         ("ACTIVE", "1", False), "a stream described")
    (destination,) = told["Destinations"]
    if "AccessKey" in destination["HttpEndpointDestinationDescription"]["EndpointConfiguration"]:
        raise SystemExit("FAILED: an access key is told")
    page = firehose.list_delivery_streams(Limit=1, DeliveryStreamType="DirectPut",
                                          ExclusiveStartDeliveryStreamName="operations-0")
    same((page["DeliveryStreamNames"], page["HasMoreDeliveryStreams"]), (["operations-1"], True),
         "a page of streams")
    name = {"DeliveryStreamName": "operations-0"}
    firehose.update_destination(
        **name, CurrentDeliveryStreamVersionId="1", DestinationId=destination["DestinationId"],
        HttpEndpointDestinationUpdate={"RetryOptions": {"DurationInSeconds": 7200}})
    told = firehose.describe_delivery_stream(**name)["DeliveryStreamDescription"]
    (destination,) = told["Destinations"]
    described = destination["HttpEndpointDestinationDescription"]
    same((told["VersionId"], described["RetryOptions"]["DurationInSeconds"],
          described["EndpointConfiguration"]["Name"]), ("2", 7200, "receiver"), "an update")
    firehose.tag_delivery_stream(**name, Tags=[{"Key": "team", "Value": "gr\u00fcn"}])
    firehose.untag_delivery_stream(**name, TagKeys=["stage"])
    same(firehose.list_tags_for_delivery_stream(**name)["Tags"],
         [{"Key": "team", "Value": "gr\u00fcn"}], "tags")
    key = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    firehose.start_delivery_stream_encryption(
        **name, DeliveryStreamEncryptionConfigurationInput={"KeyType": "CUSTOMER_MANAGED_CMK",
                                                            "KeyARN": key})
    told = firehose.describe_delivery_stream(**name)["DeliveryStreamDescription"]
    same(told["DeliveryStreamEncryptionConfiguration"],
         {"KeyARN": key, "KeyType": "CUSTOMER_MANAGED_CMK", "Status": "ENABLED"}, "encryption")
    answer = firehose.put_record(**name, Record={"Data": b"no metric"})
    same(answer["Encrypted"], True, "Encrypted")
    firehose.stop_delivery_stream_encryption(**name)
    records = [{"Data": b"no metric %d" % n} for n in range(500)]
    answer = firehose.put_record_batch(**name, Records=records)
    ids = {row["RecordId"] for row in answer["RequestResponses"]}
    same((answer["FailedPutCount"], answer["Encrypted"], len(ids)), (0, False, 500), "a batch")
    for n in range(3):
        firehose.delete_delivery_stream(DeliveryStreamName=f"operations-{n}")
    same(calls, FIREHOSE, "operations of Firehose")
    print(f"ok: boto3: the {len(FIREHOSE)} operations of Firehose")


def stream_operations(place, protocol, calls):
    """Metric streams and their tags, in one protocol."""
    cloudwatch = counted(place.client("cloudwatch", protocol=protocol), calls)
    firehose = place.client("firehose")
    target = f"target-{protocol}"
    firehose.create_delivery_stream(
        DeliveryStreamName=target, HttpEndpointDestinationConfiguration=places.http_endpoint(
            place.own["json"], places.bucket("target/")))
    names = [f"{protocol}-{n}" for n in range(3)]
    for name in names:
        asked = metric_stream(name, "Shop/Nobody", target, "json")
        arn = cloudwatch.put_metric_stream(
            **asked, Tags=[{"Key": "team", "Value": "blau"}, {"Key": "a", "Value": ""}])["Arn"]
        same(arn, f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:metric-stream/{name}", "an ARN")
        told = cloudwatch.get_metric_stream(Name=name)
        same({member: told[member] for member in asked}, asked, "a metric stream told back")
        same((told["State"], told["IncludeLinkedAccountsMetrics"], "ExcludeFilters" in told),
             ("running", False, False), "what is filled in")
        age = datetime.datetime.now(datetime.timezone.utc) - told["CreationDate"]
        same(abs(age.total_seconds()) < 60, True, "the creation date is of now")
    cloudwatch.stop_metric_streams(Names=names[:2])
    same([cloudwatch.get_metric_stream(Name=name)["State"] for name in names],
         ["stopped", "stopped", "running"], "stopped streams")
    cloudwatch.start_metric_streams(Names=names)
    page = cloudwatch.list_metric_streams(MaxResults=1)
    listed = page["Entries"]
    while "NextToken" in page:
        page = cloudwatch.list_metric_streams(MaxResults=1, NextToken=page["NextToken"])
        listed += page["Entries"]
    same([e["Name"] for e in listed if e["Name"] in names], names, "streams listed by pages")
    cloudwatch.tag_resource(ResourceARN=arn, Tags=[{"Key": "team", "Value": "gr\u00fcn"}])
    cloudwatch.untag_resource(ResourceARN=arn, TagKeys=["a", "not there"])
    same(cloudwatch.list_tags_for_resource(ResourceARN=arn)["Tags"],
         [{"Key": "team", "Value": "gr\u00fcn"}], "tags of a metric stream")
    for name in names:
        cloudwatch.delete_metric_stream(Name=name)
    firehose.delete_delivery_stream(DeliveryStreamName=target)


def queries(place, protocol, namespace, points, calls):
    """What `make` has put, looked at: paginated, by statistics, and by data."""
    cloudwatch = counted(place.client("cloudwatch", protocol=protocol), calls)
    pages = cloudwatch.get_paginator("list_metrics").paginate(Namespace=namespace)
    found = {(m["MetricName"], tuple(sorted((d["Name"], d["Value"]) for d in m["Dimensions"])))
             for page in pages for m in page["Metrics"]}
    same(found, {(p.name, tuple(sorted(p.dimensions.items()))) for p in points}, "metrics listed")
    orders = sorted((p for p in points if p.name == "Orders"), key=lambda p: p.start_ns)
    times = [datetime.datetime.fromtimestamp(p.start_ns // 10**9, datetime.timezone.utc)
             for p in orders]
    span = {"StartTime": times[0], "EndTime": times[-1] + datetime.timedelta(minutes=1)}
    told = cloudwatch.get_metric_statistics(
        Namespace=namespace, MetricName="Orders", Period=60, **span,
        Statistics=["Sum", "Minimum", "Maximum", "SampleCount", "Average"])
    rows = sorted(told["Datapoints"], key=lambda row: row["Timestamp"])
    same([(r["Timestamp"], r["Sum"], r["Minimum"], r["Maximum"], r["SampleCount"], r["Average"],
           r["Unit"]) for r in rows],
         [(at, p.sum, p.min, p.max, p.count, p.sum / p.count, "Count")
          for at, p in zip(times, orders)], "statistics")
    latency = next(p for p in points if p.name == samples.PERCENTILE_OF)
    asked = [{"Id": "orders", "MetricStat": {
        "Metric": {"Namespace": namespace, "MetricName": "Orders"}, "Period": 60, "Stat": "Sum"}},
        {"Id": "slow", "MetricStat": {
            "Metric": {"Namespace": namespace, "MetricName": latency.name, "Dimensions": [
                {"Name": n, "Value": v} for n, v in latency.dimensions.items()]},
            "Period": 60, "Stat": "p99"}}]
    got = {"orders": [], "slow": []}
    for page in cloudwatch.get_paginator("get_metric_data").paginate(
            MetricDataQueries=asked, ScanBy="TimestampAscending",
            PaginationConfig={"PageSize": 2}, **span):
        for row in page["MetricDataResults"]:
            got[row["Id"]] += zip(row["Timestamps"], row["Values"])
    same(got, {"orders": [(at, p.sum) for at, p in zip(times, orders)],
               "slow": [(at, latency.p99) for at in times]}, "metric data by pages")


def operations(place, namespace, points):
    """All of it, once what was put has arrived."""
    sts = place.client("sts")
    same(sts.get_caller_identity()["Account"], ACCOUNT, "the caller's account")
    firehose_operations(place, set())
    for protocol in PROTOCOLS:
        calls = set()
        stream_operations(place, protocol, calls)
        queries(place, protocol, namespace, points, calls)
        counted(place.client("cloudwatch", protocol=protocol), calls).put_metric_data(
            Namespace="Shop/Once", MetricData=[{"MetricName": "m", "Value": 1.0}])
        same(calls, CLOUDWATCH, "operations of CloudWatch")
        print(f"ok: boto3: the {len(CLOUDWATCH)} operations of CloudWatch by {protocol}")


def put_now(place, namespace, between):
    """Two samples of this minute, compressed, one with an entity, and `between()` them; their set
    comes when the minute is over. Returns what it must be."""
    cloudwatch = place.client("cloudwatch", request_min_compression_size_bytes=1)
    if time.time() % 60 > 40:
        time.sleep(60 - time.time() % 60)  # both calls in one minute
    minute = int(time.time() // 60) * 60
    entity = {"Entity": {"KeyAttributes": {"Type": "Service", "Name": "shop"}},
              "MetricData": [{"MetricName": "Now", "Value": 2.5}]}
    cloudwatch.put_metric_data(Namespace=namespace, EntityMetricData=[entity],
                               StrictEntityValidation=False)
    between()
    cloudwatch.put_metric_data(Namespace=namespace, MetricData=[
        {"MetricName": "Now", "Value": 1.25, "Unit": "None"}])
    same(time.time() // 60 * 60, minute, "the minute of both calls")
    datum = {"MetricName": "Now", "Timestamp": minute, "Unit": "None"}
    return samples.points(namespace, [{**datum, "Value": 2.5}, {**datum, "Value": 1.25}])


