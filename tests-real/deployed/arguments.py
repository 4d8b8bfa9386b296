"""Arguments of the Terraform resources that are used, by the documentation of the AWS provider (5.x and
6.x): blocks by their path."""

BUCKET = {"bucket"}
DOCUMENT = {"statement", "statement.sid", "statement.effect", "statement.actions", "statement.resources",
            "statement.principals", "statement.principals.type", "statement.principals.identifiers",
            "statement.condition", "statement.condition.test", "statement.condition.variable",
            "statement.condition.values"}
LOGGING = {"enabled", "log_group_name", "log_stream_name"}


def nested(path, names):
    """A block and what may stand in it."""
    return {path} | {f"{path}.{name}" for name in names}


S3_OF_FIREHOSE = ({"role_arn", "bucket_arn", "prefix", "error_output_prefix", "buffering_size",
                   "buffering_interval", "compression_format", "kms_key_arn"}
                  | nested("cloudwatch_logging_options", LOGGING))

ARGUMENTS = {
    "aws_caller_identity": set(),
    "aws_partition": set(),
    "aws_region": set(),
    "aws_iam_policy_document": DOCUMENT,
    "aws_cloudwatch_metric_stream": (
        {"name", "role_arn", "firehose_arn", "output_format", "include_linked_accounts_metrics"}
        | nested("include_filter", {"namespace", "metric_names"})
        | nested("exclude_filter", {"namespace", "metric_names"})),
    "aws_kinesis_firehose_delivery_stream": (
        {"name", "destination"}
        | nested("server_side_encryption", {"enabled", "key_type", "key_arn"})
        | nested("extended_s3_configuration", S3_OF_FIREHOSE)
        | nested("http_endpoint_configuration", {
            "url", "name", "access_key", "role_arn", "buffering_size", "buffering_interval",
            "retry_duration", "s3_backup_mode"}
            | nested("s3_configuration", S3_OF_FIREHOSE)
            | nested("cloudwatch_logging_options", LOGGING)
            | nested("secrets_manager_configuration", {"enabled", "secret_arn", "role_arn"})
            | nested("request_configuration", {"content_encoding"}
                     | nested("common_attributes", {"name", "value"})))),
    "aws_cloudwatch_log_group": {"name", "retention_in_days"},
    "aws_cloudwatch_log_stream": {"name", "log_group_name"},
    "aws_iam_role": {"name", "assume_role_policy"},
    "aws_iam_role_policy": {"name", "role", "policy"},
    "aws_iam_role_policy_attachment": {"role", "policy_arn"},
    "aws_iam_policy": {"name", "description", "policy"},
    "aws_kms_key": {"description", "enable_key_rotation", "policy"},
    "aws_s3_bucket": BUCKET,
    "aws_s3_bucket_policy": BUCKET | {"policy"},
    "aws_s3_bucket_public_access_block": BUCKET | {
        "block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets"},
    "aws_s3_bucket_ownership_controls": BUCKET | nested("rule", {"object_ownership"}),
    "aws_s3_bucket_server_side_encryption_configuration": BUCKET | nested("rule", {"bucket_key_enabled"}
        | nested("apply_server_side_encryption_by_default", {"sse_algorithm", "kms_master_key_id"})),
    "aws_s3_bucket_lifecycle_configuration": BUCKET | nested("rule", {"id", "status", "filter"}
        | nested("expiration", {"days"})
        | nested("abort_incomplete_multipart_upload", {"days_after_initiation"})),
    "aws_s3_bucket_notification": BUCKET | nested("queue", {"queue_arn", "events", "filter_prefix"}),
    "aws_sqs_queue": {"name", "sqs_managed_sse_enabled", "visibility_timeout_seconds",
                      "message_retention_seconds", "redrive_policy"},
    "aws_sqs_queue_policy": {"queue_url", "policy"},
    "aws_lambda_function": {
        "function_name", "role", "runtime", "handler", "architectures", "filename", "source_code_hash",
        "memory_size", "timeout"} | nested("environment", {"variables"}),
    "aws_lambda_event_source_mapping": {"event_source_arn", "function_name", "batch_size",
                                        "function_response_types"},
}
# Of every resource.
META = {"depends_on"}
