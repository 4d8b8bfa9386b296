"""`terraform apply`, `plan` and `destroy` as the AWS provider makes them, with `cloud.terraform`."""
from cloud import place as places
from cloud import terraform
from cloud.boto import same
from cloud.place import ACCOUNT, REGION, ROLE

PLAIN = (False, "AWS_OWNED_CMK", "")
DELIMITER = {"enabled": True, "processors": [{
    "type": "AppendDelimiterToRecord", "parameters": []}]}


class MetricStream:
    """One resource `aws_cloudwatch_metric_stream`. Its SDK speaks CBOR."""

    def __init__(self, cloudwatch, name):
        self.cloudwatch, self.name = cloudwatch, name
        self.arn = f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:metric-stream/{name}"

    def put(self, configured, **more):
        """Makes it or replaces it whole, and waits until it runs."""
        members = {"Name": self.name, "RoleArn": ROLE,
                   "FirehoseArn": configured["firehose_arn"],
                   "OutputFormat": configured["output_format"],
                   "IncludeLinkedAccountsMetrics": configured["include_linked_accounts_metrics"]}
        for member, argument in (("IncludeFilters", "include_filter"),
                                 ("ExcludeFilters", "exclude_filter")):
            filters = [{"Namespace": namespace, **({"MetricNames": sorted(names)} if names else {})}
                       for namespace, names in configured[argument]]
            if filters:
                members[member] = filters
        if configured["statistics_configuration"]:
            members["StatisticsConfigurations"] = [
                {"AdditionalStatistics": sorted(statistics), "IncludeMetrics": [
                    {"Namespace": n, "MetricName": m} for n, m in metrics]}
                for statistics, metrics in configured["statistics_configuration"]]
        self.cloudwatch.put_metric_stream(**members, **more)
        same(self.get()["State"], "running", "terraform: the metric stream's state")

    def get(self):
        return self.cloudwatch.get_metric_stream(Name=self.name)

    def read(self, configured, tags):
        told = self.get()

        def filters(member):
            return {(f["Namespace"], frozenset(f.get("MetricNames", [])))
                    for f in told.get(member, [])}

        statistics = {(frozenset(s["AdditionalStatistics"]),
                       frozenset((m["Namespace"], m["MetricName"]) for m in s["IncludeMetrics"]))
                      for s in told.get("StatisticsConfigurations", [])}
        got = {"firehose_arn": told["FirehoseArn"], "output_format": told["OutputFormat"],
               "include_linked_accounts_metrics": told["IncludeLinkedAccountsMetrics"],
               "include_filter": filters("IncludeFilters"),
               "exclude_filter": filters("ExcludeFilters"),
               "statistics_configuration": statistics}
        same(got, configured, "terraform: the metric stream shows a difference")
        same((told["Arn"], told["Name"], told["RoleArn"]), (self.arn, self.name, ROLE),
             "terraform: what names the metric stream")
        listed = self.cloudwatch.list_tags_for_resource(ResourceARN=self.arn)
        same({t["Key"]: t["Value"] for t in listed["Tags"]}, tags,
             "terraform: tags of the metric stream show a difference")
        return told["CreationDate"]

    def tag(self, old, new):
        gone = [key for key in old if key not in new]
        if gone:
            self.cloudwatch.untag_resource(ResourceARN=self.arn, TagKeys=gone)
        come = [{"Key": k, "Value": v} for k, v in new.items() if old.get(k) != v]
        self.cloudwatch.tag_resource(ResourceARN=self.arn, Tags=come)

    def destroy(self):
        self.cloudwatch.delete_metric_stream(Name=self.name)
        places.refused(self.get, self.cloudwatch.exceptions.ResourceNotFoundException)


def http_endpoint(firehose, name):
    """All that a life of the resource has; leaves it there."""
    stream = terraform.DeliveryStream(firehose, "http_endpoint", name)
    configured = terraform.http_configuration("https://hydrant.example/firehose")
    tags = {"team": "blau", "stage": "prod"}
    stream.create(configured, tags)
    stream.read(configured, tags, PLAIN)
    version = stream.state["version_id"]
    stream.read(configured, tags, PLAIN)
    print("ok: terraform: a delivery stream to an HTTP endpoint; a second read shows no difference")
    request = [{"content_encoding": "NONE", "common_attributes": []}]
    configured.update(
        retry_duration=0, buffering_interval=0, s3_backup_mode="AllData", access_key="another",
        request_configuration=request)
    configured["s3_configuration"][0].update(prefix="all/", kms_key_arn=terraform.KEY,
                                             compression_format="UNCOMPRESSED")
    stream.update(configured)
    stream.read(configured, tags, PLAIN)
    same(stream.state["version_id"], str(int(version) + 1), "terraform: the version after")
    # What was planned with an older version is refused.
    stream.state["version_id"] = version
    places.refused(lambda: stream.update(configured),
                   firehose.exceptions.ConcurrentModificationException)
    stream.tag(tags, {"team": "rot", "cost": "7"})
    tags = {"team": "rot", "cost": "7"}
    stream.read(configured, tags, PLAIN)
    stream.encrypt()
    stream.read(configured, tags, (True, "CUSTOMER_MANAGED_CMK", terraform.KEY))
    stream.decrypt()
    stream.read(configured, tags, PLAIN)
    print("ok: terraform: update by version, tags and encryption show no difference")
    return stream


def extended_s3(firehose, name):
    stream = terraform.DeliveryStream(firehose, "extended_s3", name)
    configured = terraform.extended_configuration()
    stream.create(configured, {})
    stream.read(configured, {}, PLAIN)
    stream.read(configured, {}, PLAIN)
    configured.update(prefix="", error_output_prefix="", file_extension=".ndjson",
                      custom_time_zone="Asia/Tokyo", compression_format="HADOOP_SNAPPY",
                      processing_configuration=[DELIMITER])
    stream.update(configured)
    stream.read(configured, {}, PLAIN)
    stream.destroy()
    print("ok: terraform: a delivery stream to extended S3, updated and destroyed")


def metric_stream(place, target):
    cloudwatch = place.client("cloudwatch", protocol="smithy-rpc-v2-cbor")
    stream = MetricStream(cloudwatch, "terraform")
    configured = {
        "firehose_arn": target, "output_format": "opentelemetry1.0",
        "include_linked_accounts_metrics": False, "exclude_filter": set(),
        "include_filter": {("AWS/ECS", frozenset(["CPUUtilization", "MemoryUtilization"])),
                           ("AWS/ELB", frozenset())},
        "statistics_configuration": set()}
    tags = {"team": "blau", "stage": "prod"}
    stream.put(configured, Tags=[{"Key": k, "Value": v} for k, v in tags.items()])
    created = stream.read(configured, tags)
    stream.read(configured, tags)
    configured.update(include_linked_accounts_metrics=True, include_filter=set(),
                      exclude_filter={("AWS/EC2", frozenset())},
                      statistics_configuration={(frozenset(["p95", "p99"]), frozenset([
                          ("AWS/ECS", "CPUUtilization")]))})
    stream.put(configured)
    same(stream.read(configured, tags), created, "terraform: the creation date after an update")
    stream.tag(tags, {"team": "rot"})
    stream.read(configured, {"team": "rot"})
    stream.destroy()
    print("ok: terraform: a metric stream, updated, tagged and destroyed; no read shows a difference")


def check(place):
    same(place.client("sts").get_caller_identity()["Account"], ACCOUNT, "terraform: the account")
    firehose = place.client("firehose")
    stream = http_endpoint(firehose, "terraform")
    metric_stream(place, places.stream_arn("terraform"))
    stream.destroy()
    print("ok: terraform: destroyed, and gone when it looks")
    extended_s3(firehose, "terraform-s3")
