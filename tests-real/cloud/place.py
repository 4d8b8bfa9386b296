"""Hydrant in place of AWS, and the receivers that its delivery streams reach."""
import json

import deliveries
import firehose_receiver
import peers
import records
from cloud.samples import ACCOUNT, REGION

FORMATS = ["json", "opentelemetry0.7", "opentelemetry1.0"]
BUCKET = "metrics"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/firehose"
ATTRIBUTES = {"env": "prod", "team": "blau \u00e4"}
# (access key id, secret); the second may look and nothing else.
OWNER = ("AKIDOWNER0000000", "owner-secret/+=")
GUEST = ("AKIDGUEST0000000", "guest-secret")
OTHER = ("AKIDOTHER0000000", "other-secret")
OTHER_ACCOUNT = "444455556666"
LOOK_ONLY = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": ["cloudwatch:*", "firehose:List*", "firehose:Describe*"],
     "Resource": "*"},
    {"Effect": "Deny", "Action": ["cloudwatch:Put*", "cloudwatch:DeleteMetricStream"],
     "Resource": "*"}]}


def stream_arn(name, account=ACCOUNT):
    return f"arn:aws:firehose:{REGION}:{account}:deliverystream/{name}"


def bucket(prefix, **more):
    """An S3DestinationConfiguration."""
    return {"RoleARN": ROLE, "BucketARN": f"arn:aws:s3:::{BUCKET}", "Prefix": prefix,
            "ErrorOutputPrefix": f"failed/{prefix}",
            "BufferingHints": {"IntervalInSeconds": 0, "SizeInMBs": 1}, **more}


def http_endpoint(url, backup, **more):
    """An HttpEndpointDestinationConfiguration that waits for nothing."""
    attributes = [{"AttributeName": k, "AttributeValue": v} for k, v in ATTRIBUTES.items()]
    return {"EndpointConfiguration": {"Url": url, "Name": "receiver",
                                      "AccessKey": deliveries.KEY},
            "BufferingHints": {"IntervalInSeconds": 0, "SizeInMBs": 1},
            "RequestConfiguration": {"ContentEncoding": "GZIP", "CommonAttributes": attributes},
            "RetryOptions": {"DurationInSeconds": 60}, "RoleARN": ROLE,
            "S3Configuration": backup, **more}


class Place:
    """One Hydrant with the port for SDKs and, for each format, a Firehose source of its own."""

    def __init__(self, running, binary, s3_endpoint):
        self.running, self.binary = running, binary
        self.url = f"http://127.0.0.1:{peers.free_port()}"
        self.own, self.arrived = {}, {}
        sources = {"cloud": {
            "type": "aws_api", "listen": self.url.removeprefix("http://"), "region": REGION,
            "allow_http_endpoints": True, "window_grace": "0s", "s3_endpoint_url": s3_endpoint,
            "credentials": [credential(OWNER, ACCOUNT), credential(OTHER, OTHER_ACCOUNT),
                            {**credential(GUEST, ACCOUNT), "policy": LOOK_ONLY}]}}
        streams = {}
        for output_format in FORMATS:
            name = "own-" + output_format.replace(".", "-")
            port = peers.free_port()
            sources[name] = {"type": "firehose", "listen": f"127.0.0.1:{port}",
                             "access_keys": [deliveries.KEY]}
            backend, self.arrived[output_format] = running.otlp_sink()
            streams[name] = {"source": name,
                             "destination": {"type": "otlp", "endpoint": backend}}
            self.own[output_format] = f"http://127.0.0.1:{port}/"
        self.settings = (sources, streams)
        self.start()

    def start(self, data=None):
        self.process, self.admin, self.data = self.running.hydrant_with(
            self.binary, *self.settings, data=data)

    def client(self, service, key=OWNER, protocol=None, **more):
        """A client of boto3; `protocol` makes it speak that one, where a service has several."""
        import boto3
        import botocore.config
        session = boto3.session.Session()
        if protocol:
            speak_only(session, protocol)
        config = botocore.config.Config(retries={"max_attempts": 1}, **more)
        return session.client(service, endpoint_url=self.url, region_name=REGION, config=config,
                              aws_access_key_id=key[0], aws_secret_access_key=key[1])

    def sets_by_own(self, namespace, output_format):
        """What came through Hydrant's own Firehose source, and left it as OTLP."""
        found = {}
        for request in list(self.arrived[output_format]):
            found.update(deliveries.sets_of(request)[0])
        return {i: v for i, v in found.items() if i[2] == namespace}


class Targets:
    """For each format, a delivery stream to Hydrant's own source and one to a strict receiver."""

    def __init__(self, place, client):
        self.place, self.client, self.namespace = place, client, f"Shop/{client}"
        self.receivers, self.streams = {}, []
        for output_format in FORMATS:
            ending = output_format.replace(".", "-")
            name = f"{client}-strict-{ending}"
            receiver = firehose_receiver.Receiver(place.running, stream_arn(name), ATTRIBUTES)
            self.receivers[output_format] = receiver
            self.streams += [(name, receiver.url, output_format),
                             (f"{client}-own-{ending}", place.own[output_format], output_format)]

    def judge(self, expected, what):
        """Waits until everything is there in every format, and compares it to the bit."""
        for output_format, receiver in self.receivers.items():
            def strict(output_format=output_format, receiver=receiver):
                found = records.sets_of(receiver.records(), output_format)
                return {i: v for i, v in found.items() if i[2] == self.namespace}

            def own(output_format=output_format):
                return self.place.sets_by_own(self.namespace, output_format)

            for found, by in ((strict, "a strict receiver"), (own, "Hydrant's own source")):
                title = f"{what}, {output_format}, {by}"
                wanted = {p.identity(): p.values() for p in expected}
                try:
                    peers.wait_until(title, lambda found=found: found() == wanted)
                except SystemExit:
                    deliveries.same_points(expected, found(), title)
                deliveries.same_points(expected, found(), title)
            if receiver.faults:
                raise SystemExit(f"FAILED: {what}, {output_format}: "
                                 f"{sorted(set(receiver.faults))[:5]}")


def credential(key, account):
    return {"access_key_id": key[0], "secret_access_key": key[1], "account_id": account}


def speak_only(session, protocol):
    """The session's models of services with this protocol alone."""
    loader = session._loader
    load = loader.load_service_model

    def patched(*arguments, **named):
        model = json.loads(json.dumps(load(*arguments, **named)))
        if protocol in model.get("metadata", {}).get("protocols", []):
            model["metadata"].update(protocol=protocol, protocols=[protocol])
        return model

    loader.load_service_model = patched


def refused(call, expected, status=None, text=""):
    """The typed exception of this class, or the code of one that has none; returns its answer."""
    import botocore.exceptions
    try:
        call()
    except botocore.exceptions.ClientError as fault:
        answer = fault.response
        # Each client has classes of its own.
        typed = isinstance(expected, type)
        wanted = expected.__name__ if typed else expected
        got = type(fault).__name__ if typed else answer["Error"]["Code"]
        http = answer["ResponseMetadata"]["HTTPStatusCode"]
        said = answer["Error"].get("Message") or ""
        if got != wanted or (status and http != status) or text not in said:
            raise SystemExit(f"FAILED: wanted {wanted} {status or ''} {text!r}, got "
                             f"{type(fault).__name__} {answer['Error']} {http}") from fault
        if not answer["ResponseMetadata"].get("RequestId"):
            raise SystemExit(f"FAILED: {wanted} without a request id") from fault
        return answer
    raise SystemExit(f"FAILED: wanted {expected}, and it was taken")
