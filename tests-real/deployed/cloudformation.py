"""A template, resolved as CloudFormation would, and made by calls of boto3."""
import io
import json
import urllib.request
import zipfile

import yaml

import peers

KINDS = ("Ref", "Sub", "GetAtt")


class Loader(yaml.SafeLoader):
    """YAML with the tags that are used."""


for kind in KINDS:
    Loader.add_constructor(f"!{kind}", lambda loader, node, kind=kind: {kind: loader.construct_scalar(node)})
# A date is text here.
Loader.yaml_implicit_resolvers = {
    first: [(tag, regexp) for tag, regexp in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()}


class Template:
    """What is in it, with every reference replaced."""

    def __init__(self, file, account, region, given):
        template = yaml.load(file.read_text(), Loader)
        self.account, self.region = account, region
        self.resources = template["Resources"]
        self.parameters = {"AWS::AccountId": account, "AWS::Region": region, "AWS::Partition": "aws",
                           "AWS::URLSuffix": "amazonaws.com"}
        for name, parameter in template["Parameters"].items():
            value = parameter.get("Default", given.get(name))
            if value is None:
                raise SystemExit(f"FAILED: {file}: no value for the parameter {name}")
            self.parameters[name] = value

    def resolve(self, node):
        if isinstance(node, list):
            return [self.resolve(item) for item in node]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            (key, value), = node.items()
            if key == "Ref":
                return self.reference(value)
            if key == "GetAtt":
                return self.arn(value.removesuffix(".Arn"))
            if key == "Sub":
                return self.substituted(value)
        return {key: self.resolve(value) for key, value in node.items()}

    def reference(self, name):
        if name in self.parameters:
            return self.parameters[name]
        resource = self.resources[name]
        properties, kind = resource["Properties"], resource["Type"]
        if kind == "AWS::SQS::Queue":
            return f"https://sqs.{self.region}.amazonaws.com/{self.account}/{self.name(name)}"
        if kind == "AWS::IAM::ManagedPolicy":
            return f"arn:aws:iam::{self.account}:policy/{name}"
        if kind == "AWS::Logs::LogStream":
            return properties["LogStreamName"]
        return self.name(name)

    def substituted(self, text):
        for name, value in self.parameters.items():
            text = text.replace("${" + name + "}", str(value))
        if "${" in text:
            raise SystemExit(f"FAILED: !Sub {text}")
        return text

    def name(self, name):
        """The resource's own name."""
        properties = self.resources[name]["Properties"]
        for key in ("BucketName", "QueueName", "LogGroupName", "DeliveryStreamName", "FunctionName"):
            if key in properties:
                return self.resolve(properties[key])
        return name

    def arn(self, name):
        kind = self.resources[name]["Type"]
        here, own = f"{self.region}:{self.account}", self.name(name)
        return {
            "AWS::S3::Bucket": f"arn:aws:s3:::{own}",
            "AWS::SQS::Queue": f"arn:aws:sqs:{here}:{own}",
            "AWS::KMS::Key": f"arn:aws:kms:{here}:key/1234abcd-12ab-34cd-56ef-1234567890ab",
            "AWS::IAM::Role": f"arn:aws:iam::{self.account}:role/{own}",
            "AWS::Logs::LogGroup": f"arn:aws:logs:{here}:log-group:{own}:*",
            "AWS::KinesisFirehose::DeliveryStream": f"arn:aws:firehose:{here}:deliverystream/{own}",
            "AWS::Lambda::Function": f"arn:aws:lambda:{here}:function:{own}",
        }[kind]

    def calls(self):
        """The input of the two operations that make the streams."""
        delivery = self.resolve(self.resources["DeliveryStream"]["Properties"])
        metrics = self.resolve(self.resources["MetricStream"]["Properties"])
        metrics["IncludeLinkedAccountsMetrics"] = metrics["IncludeLinkedAccountsMetrics"] == "true"
        return {"CreateDeliveryStream": delivery, "PutMetricStream": metrics}


class Makers:
    """Makes every resource of a template by calls of boto3."""

    def __init__(self, template, url):
        import boto3
        session = boto3.Session(aws_access_key_id="AKIDEXAMPLE", aws_secret_access_key="secret",
                                region_name=template.region)
        # Each template finds an empty account.
        urllib.request.urlopen(url + "/moto-api/reset", b"").close()
        self.client = lambda service: session.client(service, endpoint_url=url)
        self.template, self.made = template, []

    def make_all(self):
        order = ["AWS::KMS::Key", "AWS::SQS::Queue", "AWS::SQS::QueuePolicy", "AWS::S3::Bucket",
                 "AWS::S3::BucketPolicy", "AWS::Logs::LogGroup", "AWS::Logs::LogStream",
                 "AWS::IAM::ManagedPolicy", "AWS::IAM::Role", "AWS::KinesisFirehose::DeliveryStream",
                 "AWS::CloudWatch::MetricStream", "AWS::Lambda::Function",
                 "AWS::Lambda::EventSourceMapping"]
        resources = self.template.resources
        # Queues to which others move messages come first.
        names = sorted(resources, key=lambda name: (order.index(resources[name]["Type"]),
                                                    "RedrivePolicy" in resources[name]["Properties"]))
        for name in names:
            kind = resources[name]["Type"]
            maker = getattr(self, kind.removeprefix("AWS::").replace("::", "_").lower())
            maker(name, self.template.resolve(resources[name]["Properties"]))
            self.made.append(name)

    def kms_key(self, _, p):
        self.client("kms").create_key(Policy=json.dumps(p["KeyPolicy"]), Description=p["Description"])

    def sqs_queue(self, _, p):
        given = {key: json.dumps(value) if isinstance(value, dict) else str(value).lower()
                 for key, value in p.items() if key != "QueueName"}
        self.client("sqs").create_queue(QueueName=p["QueueName"], Attributes=given)

    def sqs_queuepolicy(self, _, p):
        sqs = self.client("sqs")
        for url in p["Queues"]:
            real = sqs.get_queue_url(QueueName=url.rsplit("/", 1)[1])["QueueUrl"]
            sqs.set_queue_attributes(QueueUrl=real,
                                     Attributes={"Policy": json.dumps(p["PolicyDocument"])})

    def s3_bucket(self, _, p):
        s3, bucket = self.client("s3"), p["BucketName"]
        place = {"LocationConstraint": self.template.region}
        owner = p["OwnershipControls"]["Rules"][0]["ObjectOwnership"]
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration=place, ObjectOwnership=owner)
        rules = [{("ApplyServerSideEncryptionByDefault" if key == "ServerSideEncryptionByDefault" else key):
                  value for key, value in rule.items()}
                 for rule in p["BucketEncryption"]["ServerSideEncryptionConfiguration"]]
        s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": rules})
        s3.put_public_access_block(
            Bucket=bucket, PublicAccessBlockConfiguration=p["PublicAccessBlockConfiguration"])
        rule = dict(p["LifecycleConfiguration"]["Rules"][0])
        rule |= {"ID": rule.pop("Id"), "Expiration": {"Days": rule.pop("ExpirationInDays")},
                 "Filter": {"Prefix": ""}}
        s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": [rule]})
        if "NotificationConfiguration" in p:
            told, = p["NotificationConfiguration"]["QueueConfigurations"]
            key = {"Key": {"FilterRules": told["Filter"]["S3Key"]["Rules"]}}
            s3.put_bucket_notification_configuration(
                Bucket=bucket, NotificationConfiguration={"QueueConfigurations": [
                    {"QueueArn": told["Queue"], "Events": [told["Event"]], "Filter": key}]})

    def s3_bucketpolicy(self, _, p):
        self.client("s3").put_bucket_policy(Bucket=p["Bucket"], Policy=json.dumps(p["PolicyDocument"]))

    def logs_loggroup(self, _, p):
        logs = self.client("logs")
        logs.create_log_group(logGroupName=p["LogGroupName"])
        logs.put_retention_policy(logGroupName=p["LogGroupName"], retentionInDays=p["RetentionInDays"])

    def logs_logstream(self, _, p):
        self.client("logs").create_log_stream(logGroupName=p["LogGroupName"],
                                              logStreamName=p["LogStreamName"])

    def iam_managedpolicy(self, name, p):
        self.client("iam").create_policy(PolicyName=name, PolicyDocument=json.dumps(p["PolicyDocument"]),
                                         Description=p["Description"])

    def iam_role(self, name, p):
        iam = self.client("iam")
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(p["AssumeRolePolicyDocument"]))
        for policy in p.get("Policies", []):
            iam.put_role_policy(RoleName=name, PolicyName=policy["PolicyName"],
                                PolicyDocument=json.dumps(policy["PolicyDocument"]))
        for arn in p.get("ManagedPolicyArns", []):
            iam.attach_role_policy(RoleName=name, PolicyArn=arn)

    def kinesisfirehose_deliverystream(self, _, p):
        self.client("firehose").create_delivery_stream(**p)

    def cloudwatch_metricstream(self, *_):
        # moto has no metric streams: the client checks names and bounds of what would be sent.
        check_input(self.client("cloudwatch"), "PutMetricStream",
                    self.template.calls()["PutMetricStream"])

    def lambda_function(self, _, p):
        code = io.BytesIO()
        with zipfile.ZipFile(code, "w") as archive:
            archive.writestr("bootstrap", "")
        self.client("lambda").create_function(**{**p, "Code": {"ZipFile": code.getvalue()}})

    def lambda_eventsourcemapping(self, _, p):
        self.client("lambda").create_event_source_mapping(**p)


def check_input(client, operation, given):
    from botocore.validate import ParamValidator
    shape = client.meta.service_model.operation_model(operation).input_shape
    report = ParamValidator().validate(given, shape)
    if report.has_errors():
        raise SystemExit(f"FAILED: {operation}: {report.generate_report()}")


def make_streams(calls, url, region, key_id, secret, meanwhile=lambda: None):
    """Both streams at another implementation, described, and removed again after `meanwhile`."""
    import boto3
    session = boto3.Session(aws_access_key_id=key_id, aws_secret_access_key=secret, region_name=region)
    firehose = session.client("firehose", endpoint_url=url)
    cloudwatch = session.client("cloudwatch", endpoint_url=url)
    delivery, metrics = calls["CreateDeliveryStream"], dict(calls["PutMetricStream"])
    name = delivery["DeliveryStreamName"]
    metrics["FirehoseArn"] = firehose.create_delivery_stream(**delivery)["DeliveryStreamARN"]
    state = lambda: firehose.describe_delivery_stream(DeliveryStreamName=name)[
        "DeliveryStreamDescription"]["DeliveryStreamStatus"]
    peers.wait_until("the delivery stream is active", lambda: state() == "ACTIVE")
    cloudwatch.put_metric_stream(**metrics)
    described = cloudwatch.get_metric_stream(Name=metrics["Name"])
    for key, value in metrics.items():
        if described.get(key) != value:
            raise SystemExit(f"FAILED: GetMetricStream: {key} is {described.get(key)}, not {value}")
    meanwhile()
    cloudwatch.delete_metric_stream(Name=metrics["Name"])
    firehose.delete_delivery_stream(DeliveryStreamName=name)
