"""The AWS CLI: the lines that the documentation shows, and what they print."""
import json
import os
import subprocess

from cloud import place as places
from cloud import samples
from cloud.boto import metric_stream, same
from cloud.boto_errors import NO_MATCH, WRONG_SECRET
from cloud.others import AWS, look_of
from cloud.place import ACCOUNT, GUEST, OWNER, REGION

# What version 1 of `aws` exits with when the service has refused a call.
REFUSED = 255


class Cli:
    def __init__(self, place):
        self.place, self.targets = place, places.Targets(place, "cli")
        self.datums = samples.data()
        self.points = samples.points(self.targets.namespace, self.datums)

    def try_(self, line, *more, key=OWNER):
        """Runs `aws LINE MORE`; returns exit code, output and complaint."""
        home = self.place.running.path / "no-home"
        variables = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
        # Version 1 and boto3 read this name of the region alone; version 2 reads it too.
        environment = {**variables, "AWS_ENDPOINT_URL": self.place.url,
                       "AWS_DEFAULT_REGION": REGION, "AWS_ACCESS_KEY_ID": key[0],
                       "AWS_SECRET_ACCESS_KEY": key[1], "HOME": str(home)}
        words = [part if isinstance(part, str) else json.dumps(part) for part in more]
        done = subprocess.run([AWS, *line.split(), *words], capture_output=True, check=False,
                              env=environment, timeout=120)
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def aws(self, line, *more):
        code, out, complaint = self.try_(line, *more)
        if code != 0:
            raise SystemExit(f"FAILED: aws {line}: exit code {code}: {complaint.strip()}")
        return json.loads(out) if out.strip() else None

    def make(self):
        told = self.aws("sts get-caller-identity")
        same(told["Account"], ACCOUNT, "aws sts get-caller-identity")
        for name, url, output_format in self.targets.streams:
            configuration = places.http_endpoint(url, places.bucket(f"{name}/"))
            told = self.aws(f"firehose create-delivery-stream --delivery-stream-name {name}",
                            "--http-endpoint-destination-configuration", configuration,
                            "--tags", "Key=team,Value=blau")
            asked = metric_stream(name, self.targets.namespace, name, output_format)
            self.aws(f"cloudwatch put-metric-stream --name {name} "
                     f"--firehose-arn {told['DeliveryStreamARN']} --role-arn {asked['RoleArn']} "
                     f"--output-format {output_format} "
                     f"--include-filters Namespace={self.targets.namespace}",
                     "--statistics-configurations", asked["StatisticsConfigurations"])
        data = self.place.running.path / "cli-data.json"
        data.write_text(json.dumps(self.datums))
        self.aws(f"cloudwatch put-metric-data --namespace {self.targets.namespace} "
                 f"--metric-data file://{data}")
        self.aws("cloudwatch put-metric-data --namespace Shop/Line --metric-name Orders --value 3 "
                 "--unit Count --dimensions Shop=zurich,Till=2")
        self.aws("cloudwatch put-metric-data --namespace Shop/Line --metric-name Latency "
                 "--statistic-values Sum=6,Minimum=1,Maximum=3,SampleCount=3")

    def look(self):
        look, namespace = look_of(self.points), self.targets.namespace
        name = self.targets.streams[0][0]
        told = self.aws(f"firehose describe-delivery-stream --delivery-stream-name {name}")
        told = told["DeliveryStreamDescription"]
        same((told["DeliveryStreamStatus"], told["DeliveryStreamARN"]),
             ("ACTIVE", places.stream_arn(name)), "aws firehose describe-delivery-stream")
        told = self.aws(f"firehose list-tags-for-delivery-stream --delivery-stream-name {name}")
        same(told["Tags"], [{"Key": "team", "Value": "blau"}], "tags")
        self.aws(f"firehose put-record --delivery-stream-name {name} --record Data=aGVsbG8K")
        told = self.aws("firehose list-delivery-streams --limit 100")
        same({s[0] for s in self.targets.streams} - set(told["DeliveryStreamNames"]), set(),
             "aws firehose list-delivery-streams")
        told = self.aws("cloudwatch list-metric-streams")
        mine = {e["Name"]: e["State"] for e in told["Entries"] if e["Name"].startswith("cli-")}
        same(mine, {s[0]: "running" for s in self.targets.streams}, "list-metric-streams")
        told = self.aws(f"cloudwatch get-metric-stream --name {name}")
        arn = told["Arn"]
        self.aws(f"cloudwatch tag-resource --resource-arn {arn} --tags Key=team,Value=rot")
        told = self.aws(f"cloudwatch list-tags-for-resource --resource-arn {arn}")
        same(told["Tags"], [{"Key": "team", "Value": "rot"}], "aws cloudwatch tag-resource")
        told = self.aws(f"cloudwatch list-metrics --namespace {namespace}")
        same(len(told["Metrics"]), len(look["metrics"]), "aws cloudwatch list-metrics")
        span = f"--start-time {look['start']} --end-time {look['end']}"
        told = self.aws(f"cloudwatch get-metric-statistics --namespace {namespace} "
                        f"--metric-name Orders --statistics Sum --period 60 {span}")
        sums = [total for _, total in look["sums"]]
        in_order = sorted(told["Datapoints"], key=lambda row: row["Timestamp"])
        same([row["Sum"] for row in in_order], sums, "aws cloudwatch get-metric-statistics")
        query = [{"Id": "sums", "MetricStat": {
            "Metric": {"Namespace": namespace, "MetricName": "Orders"}, "Period": 60,
            "Stat": "Sum"}}]
        told = self.aws(f"cloudwatch get-metric-data {span} --scan-by TimestampAscending",
                        "--metric-data-queries", query)
        same(told["MetricDataResults"][0]["Values"], sums, "aws cloudwatch get-metric-data")

    def refusals(self):
        """Exit code and text of each kind of refusal."""
        name, url, _ = self.targets.streams[0]
        again = ["--http-endpoint-destination-configuration",
                 places.http_endpoint(url, places.bucket("cli/"))]
        stream = (f"cloudwatch put-metric-stream --name refused --role-arn {places.ROLE} "
                  f"--firehose-arn {places.stream_arn(name)} --output-format json ")
        create = "firehose create-delivery-stream --delivery-stream-name "
        put = "cloudwatch put-metric-data --namespace Shop --metric-name m --value "
        cases = [
            ("firehose describe-delivery-stream --delivery-stream-name none", [], OWNER,
             "ResourceNotFoundException", f"Firehose none under account {ACCOUNT} not found."),
            (create + name, again, OWNER, "ResourceInUseException", "already exists"),
            (create + "refused --delivery-stream-type KinesisStreamAsSource", again, OWNER,
             "InvalidArgumentException", ""),
            (create + "a&b", again, OWNER, "ValidationException", "deliveryStreamName"),
            ("cloudwatch get-metric-stream --name none", [], OWNER, "ResourceNotFoundException",
             ""),
            (put + "nan", [], OWNER, "InvalidParameterValue", "NaN"),
            (stream + "--include-filters Namespace=a --exclude-filters Namespace=b", [], OWNER,
             "InvalidParameterCombination", "mutually exclusive"),
            (put + "1", [], WRONG_SECRET, "SignatureDoesNotMatch", NO_MATCH),
            (put + "1", [], GUEST, "AccessDenied", "cloudwatch:PutMetricData"),
            (f"firehose put-record --delivery-stream-name {name} --record Data=eA==", [], GUEST,
             "AccessDeniedException", "firehose:PutRecord"),
        ]
        for line, more, key, code, text in cases:
            got, _, complaint = self.try_(line, *more, key=key)
            if got != REFUSED or f"An error occurred ({code})" not in complaint or \
                    text not in complaint:
                raise SystemExit(f"FAILED: aws {line}: exit code {got}: {complaint.strip()}; "
                                 f"wanted {code}: {text}")
        return len(cases)

    def finish(self):
        self.targets.judge(self.points, "aws cli")
        self.look()
        print("ok: aws cli: what was made and put is told back")
        print(f"ok: aws cli: {self.refusals()} refusals, by exit code and text")
        for name, _, _ in self.targets.streams[:2]:
            self.aws(f"cloudwatch delete-metric-stream --name {name}")
            self.aws(f"firehose delete-delivery-stream --delivery-stream-name {name}")
        told = self.aws("firehose list-delivery-streams --limit 100")
        same({s[0] for s in self.targets.streams[:2]} & set(told["DeliveryStreamNames"]), set(),
             "deleted streams")
        print("ok: aws cli: what was deleted is gone")
