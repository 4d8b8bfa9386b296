"""What boto3 raises: the typed exception of each refusal, in every protocol."""
import datetime

import peers
from cloud import place as places
from cloud.boto import PROTOCOLS
from cloud.place import GUEST, OTHER, OWNER, ROLE, refused

WRONG_SECRET = (OWNER[0], "not the secret")
NOBODY = ("AKIDNOBODY000000", OWNER[1])
NO_MATCH = "The request signature we calculated does not match the signature you provided."


def datum(**more):
    return {"MetricName": "m", "Value": 1.0, **more}


def of_cloudwatch(place, protocol):
    """Checks them and returns how many there are. Codes without a class are those of the query
    protocol, in all three of them."""
    client = place.client("cloudwatch", protocol=protocol)
    careless = place.client("cloudwatch", protocol=protocol, parameter_validation=False)
    typed = client.exceptions
    weeks_ago = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(weeks=3)
    stream = {"Name": "refused", "FirehoseArn": places.stream_arn("errors"), "RoleArn": ROLE,
              "OutputFormat": "json"}

    def as_(key):
        return place.client("cloudwatch", protocol=protocol, key=key)

    def put(client=client, **more):
        return lambda: client.put_metric_data(Namespace="Shop", **more)

    def put_one(**more):
        return put(MetricData=[datum(**more)])

    def stream_with(**more):
        return lambda: client.put_metric_stream(**{**stream, **more})

    value, combination = (typed.InvalidParameterValueException,
                          typed.InvalidParameterCombinationException)
    forbidden = 403 if protocol == "query" else 400
    cases = [
        (lambda: client.get_metric_stream(Name="none"), typed.ResourceNotFoundException, 404, ""),
        (lambda: client.list_tags_for_resource(
            ResourceARN="arn:aws:cloudwatch:eu-west-1:111122223333:metric-stream/none"),
         typed.ResourceNotFoundException, 404, ""),
        (stream_with(IncludeFilters=[{"Namespace": "a"}], ExcludeFilters=[{"Namespace": "b"}]),
         combination, 400, "mutually exclusive"),
        (stream_with(FirehoseArn=places.stream_arn("none")), value, 400, "none"),
        (stream_with(FirehoseArn=places.stream_arn("errors", places.OTHER_ACCOUNT)), value, 400,
         "FirehoseArn"),
        (stream_with(OutputFormat="JSON"), typed.ValidationException, 400, "enum value set"),
        (lambda: careless.put_metric_stream(Name="refused"),
         typed.MissingRequiredParameterException, 400, "FirehoseArn is required"),
        (put_one(Value=float("nan")), value, 400, "NaN"),
        (put_one(Timestamp=weeks_ago), value, 400, "two weeks"),
        (put_one(Unit="count"), value, 400, "Unit"),
        (put(careless, MetricData=[datum(Dimensions=[{"Name": "a"}])]),
         typed.MissingRequiredParameterException, 400, "Value"),
        (put(MetricData=[datum()] * 1001), value, 400, "1000"),
        (put(MetricData=[{"MetricName": "m", "Values": [1.0] * 151}]), value, 400, "150"),
        (lambda: client.list_metric_streams(NextToken="x"), typed.InvalidNextToken, 400, ""),
        (lambda: client.start_metric_streams(Names=["none"]), value, 400, "none"),
        (lambda: client.get_metric_statistics(Namespace="Shop", MetricName="m", Period=60,
                                              StartTime=0, EndTime=60), combination, 400, ""),
        (client.describe_alarms, "InvalidAction", 400, ""),
        (as_(WRONG_SECRET).list_metrics, "SignatureDoesNotMatch", forbidden, NO_MATCH),
        (as_(NOBODY).list_metrics, "InvalidClientTokenId", forbidden, "security token"),
        (put(as_(GUEST), MetricData=[datum()]), "AccessDenied", forbidden,
         "not authorized to perform: cloudwatch:PutMetricData"),
    ]
    for call, expected, status, text in cases:
        refused(call, expected, status, text)
    as_(GUEST).list_metrics()  # what the policy allows
    return len(cases)


def of_firehose(place):
    client = place.client("firehose")
    typed = client.exceptions
    name = {"DeliveryStreamName": "errors"}

    def as_(key):
        return place.client("firehose", key=key)

    def create(**more):
        target = places.http_endpoint(place.own["json"], places.bucket("errors/"))
        return lambda: client.create_delivery_stream(
            **{"DeliveryStreamName": "refused", "HttpEndpointDestinationConfiguration": target,
               **more})

    def to_bucket(**more):
        s3 = {**places.bucket("errors/"), **more}
        return lambda: client.create_delivery_stream(
            DeliveryStreamName="refused",
            ExtendedS3DestinationConfiguration={k: v for k, v in s3.items() if v is not None})

    def batch(*records):
        return lambda: client.put_record_batch(**name, Records=[{"Data": d} for d in records])

    splunk = {"HECEndpoint": "https://splunk", "HECEndpointType": "Raw", "HECToken": "t",
              "S3Configuration": places.bucket("errors/")}
    client.tag_delivery_stream(**name, Tags=[{"Key": str(n), "Value": ""} for n in range(50)])
    argument, limit = typed.InvalidArgumentException, typed.LimitExceededException
    cases = [
        (lambda: client.describe_delivery_stream(DeliveryStreamName="none"),
         typed.ResourceNotFoundException, 400, "Firehose none under account 111122223333"),
        (lambda: client.put_record(DeliveryStreamName="none", Record={"Data": b""}),
         typed.ResourceNotFoundException, 400, ""),
        (lambda: as_(OTHER).describe_delivery_stream(**name), typed.ResourceNotFoundException,
         400, "444455556666"),
        (create(**name), typed.ResourceInUseException, 400, "already exists"),
        (create(DeliveryStreamType="KinesisStreamAsSource"), argument, 400, ""),
        (lambda: client.create_delivery_stream(DeliveryStreamName="refused",
                                               SplunkDestinationConfiguration=splunk),
         argument, 400, "Splunk"),
        (to_bucket(Prefix="!{timestamp:yyyy}/", ErrorOutputPrefix=None), argument, 400,
         "ErrorOutputPrefix cannot be null or empty when Prefix contains expressions"),
        (to_bucket(CompressionFormat="gzip"), "ValidationException", 400, "enum value set"),
        (create(DeliveryStreamName="a b"), "ValidationException", 400, "deliveryStreamName"),
        (lambda: client.update_destination(
            **name, CurrentDeliveryStreamVersionId="7", DestinationId="destinationId-000000000001",
            HttpEndpointDestinationUpdate={}), typed.ConcurrentModificationException, 400, "7"),
        (batch(*[b"x"] * 501), "ValidationException", 400, "500"),
        (batch(b"x" * 1_024_001), "ValidationException", 400, "records.1.member.data"),
        (batch(*[b"x" * 1_024_000] * 5), argument, 400, "4 MB"),
        (lambda: client.tag_delivery_stream(**name, Tags=[{"Key": "x", "Value": ""}]), limit, 400,
         "50"),
        (as_(WRONG_SECRET).list_delivery_streams, "InvalidSignatureException", 400, NO_MATCH),
        (as_(NOBODY).list_delivery_streams, "UnrecognizedClientException", 400, "security token"),
        (lambda: as_(GUEST).put_record(**name, Record={"Data": b""}), "AccessDeniedException", 400,
         "not authorized to perform: firehose:PutRecord on resource: arn:aws:firehose:"),
    ]
    for call, expected, status, text in cases:
        refused(call, expected, status, text)
    as_(GUEST).describe_delivery_stream(**name)  # what the policy allows
    return len(cases)


def refused_in_log(place):
    """Who is not let in is told to the operator too, also where the caller is told 400."""
    log = place.running.logs[f"hydrant-{place.admin.rsplit(':', 1)[-1]}"].read_text()
    return any("call refused" in line and '"status":400' in line for line in log.splitlines())


def check(place):
    firehose = place.client("firehose")
    firehose.create_delivery_stream(
        DeliveryStreamName="errors", HttpEndpointDestinationConfiguration=places.http_endpoint(
            place.own["json"], places.bucket("errors/")))
    for protocol in PROTOCOLS:
        print(f"ok: boto3: {of_cloudwatch(place, protocol)} refusals of CloudWatch by {protocol}, "
              "each with its class or code")
    print(f"ok: boto3: {of_firehose(place)} refusals of Firehose, each with its class or code")
    firehose.delete_delivery_stream(DeliveryStreamName="errors")
    peers.wait_until("the log tells of calls refused", lambda: refused_in_log(place))
    print("ok: boto3: calls that were not let in are in the log")
