"""The calls that Terraform's AWS provider makes for `aws_kinesis_firehose_delivery_stream` and
`aws_cloudwatch_metric_stream`, in its order, and what it makes of the answers: after each step a
read must give exactly the configuration, or the next plan would show a difference.

Terraform itself is in no registry that these tests install from, so its provider is followed here: a
resource is a configuration with all defaults, `expand` makes a call of it, `flatten` reads it back.
"""
from cloud import place as places
from cloud.boto import same
from cloud.place import ACCOUNT, BUCKET, REGION, ROLE

KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
# Blocks that the provider takes from the answer when the configuration does not have them.
COMPUTED = ["cloudwatch_logging_options", "secrets_manager_configuration"]


def s3_configuration(**more):
    return {"bucket_arn": f"arn:aws:s3:::{BUCKET}", "role_arn": ROLE, "buffering_interval": 300,
            "buffering_size": 5, "compression_format": "GZIP", "prefix": "backup/",
            "error_output_prefix": "failed/!{firehose:error-output-type}/", "kms_key_arn": "",
            "cloudwatch_logging_options": [], **more}


def http_configuration(url, **more):
    attributes = [{"name": "env", "value": "prod"}, {"name": "team", "value": "blau"}]
    return {"url": url, "name": "Hydrant", "access_key": "a-secret", "buffering_interval": 60,
            "buffering_size": 3, "retry_duration": 900, "role_arn": ROLE,
            "s3_backup_mode": "FailedDataOnly", "s3_configuration": [s3_configuration()],
            "request_configuration": [{"content_encoding": "GZIP",
                                       "common_attributes": attributes}],
            "cloudwatch_logging_options": [], "processing_configuration": [],
            "secrets_manager_configuration": [], **more}


def extended_configuration(**more):
    return {**s3_configuration(), "buffering_size": 10, "custom_time_zone": "UTC",
            "file_extension": "", "s3_backup_mode": "Disabled", "s3_backup_configuration": [],
            "processing_configuration": [], "dynamic_partitioning_configuration": [],
            "data_format_conversion_configuration": [], **more}


# From a configuration to the members of a call.

def expand_logging(given):
    if not given["cloudwatch_logging_options"]:
        return {}
    options = given["cloudwatch_logging_options"][0]
    return {"CloudWatchLoggingOptions": {
        "Enabled": options["enabled"], "LogGroupName": options["log_group_name"],
        "LogStreamName": options["log_stream_name"]}}


def expand_s3(given, update=False):
    key = given["kms_key_arn"]
    encryption = {"KMSEncryptionConfig": {"AWSKMSKeyARN": key}} if key else {
        "NoEncryptionConfig": "NoEncryption"}
    members = {"BucketARN": given["bucket_arn"], "RoleARN": given["role_arn"],
               "BufferingHints": {"IntervalInSeconds": given["buffering_interval"],
                                  "SizeInMBs": given["buffering_size"]},
               "Prefix": given["prefix"], "CompressionFormat": given["compression_format"],
               "EncryptionConfiguration": encryption, **expand_logging(given)}
    # An update always says it, also when it is empty.
    if given["error_output_prefix"] or update:
        members["ErrorOutputPrefix"] = given["error_output_prefix"]
    return members


def expand_processing(given):
    if not given["processing_configuration"]:
        return {"Enabled": False, "Processors": []}
    (processing,) = given["processing_configuration"]
    return {"Enabled": processing["enabled"], "Processors": [
        {"Type": p["type"], "Parameters": [
            {"ParameterName": q["parameter_name"], "ParameterValue": q["parameter_value"]}
            for q in p["parameters"]]} for p in processing["processors"]]}


def expand_http(given, update=False):
    request = given["request_configuration"][0]
    members = {
        "EndpointConfiguration": {"Url": given["url"], "Name": given["name"],
                                  "AccessKey": given["access_key"]},
        "RetryOptions": {"DurationInSeconds": given["retry_duration"]},
        "RoleARN": given["role_arn"],
        "BufferingHints": {"IntervalInSeconds": given["buffering_interval"],
                           "SizeInMBs": given["buffering_size"]},
        "RequestConfiguration": {
            "ContentEncoding": request["content_encoding"],
            "CommonAttributes": [{"AttributeName": a["name"], "AttributeValue": a["value"]}
                                 for a in request["common_attributes"]]},
        "ProcessingConfiguration": expand_processing(given),
        "S3BackupMode": given["s3_backup_mode"], **expand_logging(given)}
    part = "S3Update" if update else "S3Configuration"
    if given["secrets_manager_configuration"]:
        members["SecretsManagerConfiguration"] = given["secrets_manager_configuration"][0]
    return {**members, part: expand_s3(given["s3_configuration"][0], update)}


def expand_extended(given, update=False):
    return {**expand_s3(given, update), "CustomTimeZone": given["custom_time_zone"],
            "FileExtension": given["file_extension"],
            "DataFormatConversionConfiguration": {"Enabled": False},
            "ProcessingConfiguration": expand_processing(given),
            "S3BackupMode": given["s3_backup_mode"]}


# From a description back to a configuration.

def flatten_logging(told):
    options = told.get("CloudWatchLoggingOptions")
    if options is None:
        return []
    enabled = options.get("Enabled", False)
    return [{"enabled": enabled,
             "log_group_name": options.get("LogGroupName", "") if enabled else "",
             "log_stream_name": options.get("LogStreamName", "") if enabled else ""}]


def flatten_s3(told):
    key = told.get("EncryptionConfiguration", {}).get("KMSEncryptionConfig", {})
    return {"bucket_arn": told.get("BucketARN", ""), "role_arn": told.get("RoleARN", ""),
            "buffering_interval": told["BufferingHints"]["IntervalInSeconds"],
            "buffering_size": told["BufferingHints"]["SizeInMBs"],
            "compression_format": told.get("CompressionFormat", ""),
            "prefix": told.get("Prefix", ""),
            "error_output_prefix": told.get("ErrorOutputPrefix", ""),
            "kms_key_arn": key.get("AWSKMSKeyARN", ""),
            "cloudwatch_logging_options": flatten_logging(told)}


def flatten_processing(told):
    """A block that is turned off and empty is as good as none: the provider suppresses that."""
    processing = told.get("ProcessingConfiguration")
    if processing is None or not (processing["Enabled"] or processing.get("Processors")):
        return []
    return [{"enabled": processing["Enabled"], "processors": [
        {"type": p["Type"], "parameters": [
            {"parameter_name": q["ParameterName"], "parameter_value": q["ParameterValue"]}
            for q in p.get("Parameters", [])]} for p in processing["Processors"]]}]


def flatten_http(told, configured):
    """The access key is never told: the provider keeps what was configured."""
    if "AccessKey" in told["EndpointConfiguration"]:
        raise SystemExit("FAILED: an access key is told")
    request = told["RequestConfiguration"]
    return {"url": told["EndpointConfiguration"].get("Url", ""),
            "name": told["EndpointConfiguration"].get("Name", ""),
            "access_key": configured["access_key"],
            "buffering_interval": told["BufferingHints"]["IntervalInSeconds"],
            "buffering_size": told["BufferingHints"]["SizeInMBs"],
            "retry_duration": told["RetryOptions"]["DurationInSeconds"],
            "role_arn": told.get("RoleARN", ""), "s3_backup_mode": told.get("S3BackupMode", ""),
            "s3_configuration": [flatten_s3(told["S3DestinationDescription"])],
            "request_configuration": [{
                "content_encoding": request["ContentEncoding"], "common_attributes": [
                    {"name": a["AttributeName"], "value": a["AttributeValue"]}
                    for a in request.get("CommonAttributes", [])]}],
            "cloudwatch_logging_options": flatten_logging(told),
            "processing_configuration": flatten_processing(told),
            "secrets_manager_configuration":
                [told["SecretsManagerConfiguration"]] if "SecretsManagerConfiguration" in told
                else []}


def flatten_extended(told, _configured):
    conversion = told.get("DataFormatConversionConfiguration", {})
    return {**flatten_s3(told), "custom_time_zone": told.get("CustomTimeZone", ""),
            "file_extension": told.get("FileExtension", ""),
            "s3_backup_mode": told.get("S3BackupMode", ""),
            "s3_backup_configuration":
                [told["S3BackupDescription"]] if "S3BackupDescription" in told else [],
            "processing_configuration": flatten_processing(told),
            "dynamic_partitioning_configuration":
                [told["DynamicPartitioningConfiguration"]]
                if "DynamicPartitioningConfiguration" in told else [],
            "data_format_conversion_configuration":
                [conversion] if conversion.get("Enabled") else []}


KINDS = {"http_endpoint": ("HttpEndpointDestination", expand_http, flatten_http),
         "extended_s3": ("ExtendedS3Destination", expand_extended, flatten_extended)}


def adopt(configured, got):
    """Puts what was computed into the configuration, so that the next update sends it."""
    for member in COMPUTED:
        if not configured.get(member) and got.get(member):
            configured[member] = got[member]
    for inner, told in zip(configured.get("s3_configuration", []),
                           got.get("s3_configuration", [])):
        adopt(inner, told)


class DeliveryStream:
    """One resource `aws_kinesis_firehose_delivery_stream` and its state."""

    def __init__(self, firehose, kind, name):
        self.firehose, self.name = firehose, name
        self.part, self.expand, self.flatten = KINDS[kind]
        self.state = {}

    def describe(self):
        told = self.firehose.describe_delivery_stream(DeliveryStreamName=self.name)
        return told["DeliveryStreamDescription"]

    def read(self, configured, tags, encryption):
        """Read, and the tags' read after it; the state must be the configuration."""
        told = self.describe()
        same((told["DeliveryStreamStatus"], told["DeliveryStreamARN"]),
             ("ACTIVE", places.stream_arn(self.name)), "terraform: a stream read")
        (destination,) = told["Destinations"]
        self.state = {"version_id": told["VersionId"],
                      "destination_id": destination["DestinationId"]}
        # The provider takes the first description that is there, HTTP before S3.
        got = self.flatten(destination[f"{self.part}Description"], configured)
        adopt(configured, got)
        for member, value in configured.items():
            same(got.get(member), value, f"terraform: {self.name}: {member} shows a difference")
        options = told.get("DeliveryStreamEncryptionConfiguration", {})
        enabled = options.get("Status") == "ENABLED"
        same((enabled, options.get("KeyType", "AWS_OWNED_CMK") if enabled else "AWS_OWNED_CMK",
              options.get("KeyARN", "") if enabled else ""), encryption,
             "terraform: server_side_encryption shows a difference")
        listed = self.firehose.list_tags_for_delivery_stream(DeliveryStreamName=self.name)
        same({t["Key"]: t["Value"] for t in listed["Tags"]}, tags,
             "terraform: tags show a difference")

    def create(self, configured, tags):
        members = {f"{self.part}Configuration": self.expand(configured)}
        if tags:
            members["Tags"] = [{"Key": k, "Value": v} for k, v in tags.items()]
        self.firehose.create_delivery_stream(DeliveryStreamName=self.name,
                                             DeliveryStreamType="DirectPut", **members)
        same(self.describe()["DeliveryStreamStatus"], "ACTIVE", "terraform: created")

    def update(self, configured):
        self.firehose.update_destination(
            DeliveryStreamName=self.name,
            CurrentDeliveryStreamVersionId=self.state["version_id"],
            DestinationId=self.state["destination_id"],
            **{f"{self.part}Update": self.expand(configured, update=True)})

    def tag(self, old, new):
        """The order of the provider: what goes or changes first, then what comes."""
        gone = [key for key in old if key not in new]
        if gone:
            self.firehose.untag_delivery_stream(DeliveryStreamName=self.name, TagKeys=gone)
        come = [{"Key": k, "Value": v} for k, v in new.items() if old.get(k) != v]
        self.firehose.tag_delivery_stream(DeliveryStreamName=self.name, Tags=come)

    def encrypt(self):
        self.firehose.start_delivery_stream_encryption(
            DeliveryStreamName=self.name, DeliveryStreamEncryptionConfigurationInput={
                "KeyType": "CUSTOMER_MANAGED_CMK", "KeyARN": KEY})
        status = self.describe()["DeliveryStreamEncryptionConfiguration"]["Status"]
        same(status, "ENABLED", "terraform: encryption")

    def decrypt(self):
        self.firehose.stop_delivery_stream_encryption(DeliveryStreamName=self.name)
        status = self.describe()["DeliveryStreamEncryptionConfiguration"]["Status"]
        same(status, "DISABLED", "terraform: encryption")

    def destroy(self):
        """The provider waits until a description is refused as not found."""
        self.firehose.delete_delivery_stream(DeliveryStreamName=self.name)
        places.refused(self.describe, self.firehose.exceptions.ResourceNotFoundException)
