//! The bucket with its key, the queue, the function.

use super::super::build::VISIBILITY_TIMEOUTS;
use super::super::hcl::{Expression, Item, block, comment, resource, set, text};
use super::super::plan::{Function, Plan, Queue};
use super::access;

/// Below it lies what failed, by kind and day.
pub(super) const ERRORS: &str = "errors/!{firehose:error-output-type}/!{timestamp:yyyy/MM/dd/}";

pub(super) fn bucket(plan: &Plan) -> Vec<Item> {
    let of_bucket = || set("bucket", "aws_s3_bucket.metrics.id");
    let encryption = vec![
        of_bucket(),
        Item::Blank,
        block(
            "rule",
            vec![
                set("bucket_key_enabled", "true"),
                Item::Blank,
                block(
                    "apply_server_side_encryption_by_default",
                    vec![
                        text("sse_algorithm", "aws:kms"),
                        set("kms_master_key_id", "aws_kms_key.metrics.arn"),
                    ],
                ),
            ],
        ),
    ];
    let rules = vec![
        text("id", "expire"),
        text("status", "Enabled"),
        Item::Blank,
        block("filter", Vec::new()),
        Item::Blank,
        block("expiration", vec![set("days", "var.retention_days")]),
        Item::Blank,
        block("abort_incomplete_multipart_upload", vec![set("days_after_initiation", "7")]),
    ];
    let public = [
        "block_public_acls",
        "block_public_policy",
        "ignore_public_acls",
        "restrict_public_buckets",
    ];
    let mut private = vec![of_bucket()];
    private.extend(public.iter().map(|key| set(key, "true")));
    let owner = vec![text("object_ownership", "BucketOwnerEnforced")];
    let mut all = vec![
        comment("A bucket that holds objects is not destroyed: what was not delivered is in it."),
        resource("aws_s3_bucket", "metrics", vec![set("bucket", "local.bucket_name")]),
        resource("aws_s3_bucket_public_access_block", "metrics", private),
        resource(
            "aws_s3_bucket_ownership_controls",
            "metrics",
            vec![of_bucket(), Item::Blank, block("rule", owner)],
        ),
        resource("aws_s3_bucket_server_side_encryption_configuration", "metrics", encryption),
        resource(
            "aws_s3_bucket_lifecycle_configuration",
            "metrics",
            vec![of_bucket(), Item::Blank, block("rule", rules)],
        ),
    ];
    all.push(access::document("bucket", &plan.bucket.policy));
    all.push(resource(
        "aws_s3_bucket_policy",
        "metrics",
        vec![of_bucket(), set("policy", "data.aws_iam_policy_document.bucket.json")],
    ));
    all.extend(key(plan));
    all
}

fn key(plan: &Plan) -> [Item; 2] {
    let items = vec![
        set("description", "\"Metrics of ${var.name}\""),
        set("enable_key_rotation", "true"),
        set("policy", "data.aws_iam_policy_document.key.json"),
    ];
    [access::document("key", &plan.bucket.key_policy), resource("aws_kms_key", "metrics", items)]
}

pub(super) fn queue(plan: &Plan) -> Vec<Item> {
    let Some(queue) = &plan.queue else { return Vec::new() };
    let name = match &queue.name {
        Some(name) => Expression::Text(name.clone()),
        None => Expression::Bare("var.name".to_owned()),
    };
    let dead = match &queue.name {
        Some(name) => Expression::Text(format!("{name}-dead-letters")),
        None => Expression::Bare("\"${var.name}-dead-letters\"".to_owned()),
    };
    let redrive = "jsonencode({\n    deadLetterTargetArn = aws_sqs_queue.dead_letters.arn\n    maxReceiveCount     = 5\n  })";
    let items = vec![
        Item::Attribute("name".to_owned(), name),
        set("sqs_managed_sse_enabled", "true"),
        set("visibility_timeout_seconds", visibility(plan, queue)),
        set("message_retention_seconds", "1209600"),
        set("redrive_policy", redrive),
    ];
    let dead = vec![
        Item::Attribute("name".to_owned(), dead),
        set("sqs_managed_sse_enabled", "true"),
        set("message_retention_seconds", "1209600"),
    ];
    let notification = vec![
        set("bucket", "aws_s3_bucket.metrics.id"),
        Item::Blank,
        block(
            "queue",
            vec![
                set("queue_arn", "aws_sqs_queue.objects.arn"),
                set("events", "[\"s3:ObjectCreated:*\"]"),
                text("filter_prefix", &queue.prefix),
            ],
        ),
        Item::Blank,
        comment("S3 tries the queue's policy when it is told of it."),
        set("depends_on", "[aws_sqs_queue_policy.objects]"),
    ];
    vec![
        resource("aws_sqs_queue", "objects", items),
        comment("What was refused five times. Look here when it is not empty."),
        resource("aws_sqs_queue", "dead_letters", dead),
        access::document("queue", &queue.policy),
        resource(
            "aws_sqs_queue_policy",
            "objects",
            vec![
                set("queue_url", "aws_sqs_queue.objects.url"),
                set("policy", "data.aws_iam_policy_document.queue.json"),
            ],
        ),
        resource("aws_s3_bucket_notification", "objects", notification),
    ]
}

fn visibility(plan: &Plan, queue: &Queue) -> String {
    match plan.function {
        Some(_) => format!("{VISIBILITY_TIMEOUTS} * var.function_timeout"),
        None => queue.visibility_seconds.to_string(),
    }
}

pub(super) fn function(plan: &Plan) -> Vec<Item> {
    let Some(function) = &plan.function else { return Vec::new() };
    let items = vec![
        set("function_name", "var.name"),
        set("role", "aws_iam_role.function.arn"),
        text("runtime", "provided.al2023"),
        text("handler", "bootstrap"),
        set("architectures", "[var.architecture]"),
        set("filename", "var.function_zip"),
        set("source_code_hash", "filebase64sha256(var.function_zip)"),
        set("memory_size", "var.function_memory"),
        set("timeout", "var.function_timeout"),
        Item::Blank,
        block("environment", vec![Item::Attribute("variables".to_owned(), variables(function))]),
        Item::Blank,
        set("depends_on", "[aws_cloudwatch_log_group.function, aws_iam_role_policy.function]"),
    ];
    let mapping = vec![
        set("event_source_arn", "aws_sqs_queue.objects.arn"),
        set("function_name", "aws_lambda_function.hydrant.arn"),
        set("batch_size", "10"),
        comment("Without this Lambda deletes also the messages that failed."),
        set("function_response_types", "[\"ReportBatchItemFailures\"]"),
    ];
    let group = vec![
        set("name", "\"/aws/lambda/${var.name}\""),
        set("retention_in_days", "var.log_retention_days"),
    ];
    vec![
        resource("aws_lambda_function", "hydrant", items),
        resource("aws_lambda_event_source_mapping", "hydrant", mapping),
        resource("aws_cloudwatch_log_group", "function", group),
    ]
}

fn variables(function: &Function) -> Expression {
    let stream = ("HYDRANT_STREAM".to_owned(), Expression::Text(function.stream.clone()));
    let others = function
        .variables
        .iter()
        .map(|(name, parameter)| (name.clone(), Expression::Bare(format!("var.{parameter}"))));
    Expression::Object(std::iter::once(stream).chain(others).collect())
}
