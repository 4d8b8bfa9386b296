//! The bucket with its key, the queue, the function.

use super::super::plan::{Plan, Queue};
use super::super::yaml::{Entry, Node, attribute, bare, entry, reference, remarked, sub, text};
use super::{access, bucket_name, resource, resource_with};

/// Below it lies what failed, by kind and day.
pub(super) const ERRORS: &str = "errors/!{firehose:error-output-type}/!{timestamp:yyyy/MM/dd/}";
/// Two weeks: the most that SQS keeps.
const MESSAGE_SECONDS: u32 = 1_209_600;

/// Goes with the stack: it can be made again.
pub(super) fn deleted() -> Vec<Entry> {
    vec![entry("DeletionPolicy", text("Delete")), entry("UpdateReplacePolicy", text("Delete"))]
}

/// Outlives the stack, unless the stack never came to be.
fn retained() -> Vec<Entry> {
    vec![
        entry("DeletionPolicy", text("RetainExceptOnCreate")),
        entry("UpdateReplacePolicy", text("Retain")),
    ]
}

pub(super) fn bucket(plan: &Plan) -> Vec<Entry> {
    let is_true = |key: &str| entry(key, bare(true));
    let key =
        vec![entry("SSEAlgorithm", text("aws:kms")), entry("KMSMasterKeyID", attribute("Key.Arn"))];
    let encryption =
        vec![is_true("BucketKeyEnabled"), entry("ServerSideEncryptionByDefault", Node::Map(key))];
    let private =
        ["BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"];
    let owner = vec![entry("ObjectOwnership", text("BucketOwnerEnforced"))];
    let rule = vec![
        entry("Id", text("expire")),
        entry("Status", text("Enabled")),
        entry("ExpirationInDays", reference("RetentionDays")),
        entry(
            "AbortIncompleteMultipartUpload",
            Node::Map(vec![entry("DaysAfterInitiation", bare(7))]),
        ),
    ];
    let list = |items: Vec<Entry>| Node::List(vec![Node::Map(items)]);
    let wrapped = |key: &str, node: Node| Node::Map(vec![entry(key, node)]);
    let mut properties = vec![
        entry("BucketName", sub_or_text(&bucket_name(plan))),
        entry("BucketEncryption", wrapped("ServerSideEncryptionConfiguration", list(encryption))),
        entry("PublicAccessBlockConfiguration", Node::Map(private.map(is_true).into())),
        entry("OwnershipControls", wrapped("Rules", list(owner))),
        entry("LifecycleConfiguration", wrapped("Rules", list(rule))),
    ];
    let mut beside = retained();
    if let Some(queue) = &plan.queue {
        properties.push(entry("NotificationConfiguration", notification(queue)));
        // S3 tries the queue's policy when it is told of it.
        beside.push(entry("DependsOn", text("QueuePolicy")));
    }
    let bucket = resource_with("Bucket", "AWS::S3::Bucket", beside, properties);
    let kept = "Bucket and key outlive the stack: what was not delivered is in them.";
    vec![
        Entry { comment: Some(kept.to_owned()), ..bucket },
        resource(
            "BucketPolicy",
            "AWS::S3::BucketPolicy",
            vec![
                entry("Bucket", reference("Bucket")),
                entry("PolicyDocument", access::document(plan, &plan.bucket.policy)),
            ],
        ),
        resource_with(
            "Key",
            "AWS::KMS::Key",
            retained(),
            vec![
                entry("Description", sub("Metrics of ${Name}")),
                entry("EnableKeyRotation", bare(true)),
                entry("KeyPolicy", access::document(plan, &plan.bucket.key_policy)),
            ],
        ),
    ]
}

/// A name that is known needs no `!Sub`.
fn sub_or_text(name: &str) -> Node {
    if name.contains("${") { sub(name) } else { text(name) }
}

fn notification(queue: &Queue) -> Node {
    let rule = vec![entry("Name", text("prefix")), entry("Value", text(&queue.prefix))];
    let rules = Node::Map(vec![entry("Rules", Node::List(vec![Node::Map(rule)]))]);
    let told = vec![
        entry("Event", text("s3:ObjectCreated:*")),
        entry("Filter", Node::Map(vec![entry("S3Key", rules)])),
        entry("Queue", attribute("Queue.Arn")),
    ];
    Node::Map(vec![entry("QueueConfigurations", Node::List(vec![Node::Map(told)]))])
}

pub(super) fn queue(plan: &Plan) -> Vec<Entry> {
    let Some(queue) = &plan.queue else { return Vec::new() };
    let (name, dead) = match &queue.name {
        Some(name) => (text(name), text(format!("{name}-dead-letters"))),
        None => (reference("Name"), sub("${Name}-dead-letters")),
    };
    // CloudFormation cannot multiply the timeout of the function.
    let visibility = match plan.function {
        Some(_) => reference("QueueVisibility"),
        None => bare(queue.visibility_seconds),
    };
    let redrive = vec![
        entry("deadLetterTargetArn", attribute("DeadLetters.Arn")),
        entry("maxReceiveCount", bare(5)),
    ];
    let queue_properties = vec![
        entry("QueueName", name),
        entry("SqsManagedSseEnabled", bare(true)),
        entry("VisibilityTimeout", visibility),
        entry("MessageRetentionPeriod", bare(MESSAGE_SECONDS)),
        entry("RedrivePolicy", Node::Map(redrive)),
    ];
    let dead_properties = vec![
        entry("QueueName", dead),
        entry("SqsManagedSseEnabled", bare(true)),
        entry("MessageRetentionPeriod", bare(MESSAGE_SECONDS)),
    ];
    let dead = resource_with("DeadLetters", "AWS::SQS::Queue", deleted(), dead_properties);
    let comment = "What was refused five times. Look here when it is not empty.".to_owned();
    vec![
        resource_with("Queue", "AWS::SQS::Queue", deleted(), queue_properties),
        Entry { comment: Some(comment), ..dead },
        resource(
            "QueuePolicy",
            "AWS::SQS::QueuePolicy",
            vec![
                entry("Queues", Node::List(vec![reference("Queue")])),
                entry("PolicyDocument", access::document(plan, &queue.policy)),
            ],
        ),
    ]
}

pub(super) fn function(plan: &Plan) -> Vec<Entry> {
    let Some(function) = &plan.function else { return Vec::new() };
    let mut variables = vec![entry("HYDRANT_STREAM", text(&function.stream))];
    variables.extend(function.variables.iter().map(|(name, parameter)| {
        entry(name, reference(super::super::parameter::camel(parameter)))
    }));
    let code =
        vec![entry("S3Bucket", reference("CodeBucket")), entry("S3Key", reference("CodeKey"))];
    let properties = vec![
        entry("FunctionName", reference("Name")),
        entry("Role", attribute("FunctionRole.Arn")),
        entry("Runtime", text("provided.al2023")),
        entry("Handler", text("bootstrap")),
        entry("Architectures", Node::List(vec![reference("Architecture")])),
        entry("Code", Node::Map(code)),
        entry("MemorySize", reference("FunctionMemory")),
        entry("Timeout", reference("FunctionTimeout")),
        entry("Environment", Node::Map(vec![entry("Variables", Node::Map(variables))])),
    ];
    let mapping = vec![
        entry("EventSourceArn", attribute("Queue.Arn")),
        entry("FunctionName", reference("Function")),
        entry("BatchSize", bare(10)),
        remarked(
            "Without this Lambda deletes also the messages that failed.",
            "FunctionResponseTypes",
            Node::List(vec![text("ReportBatchItemFailures")]),
        ),
    ];
    let group = vec![
        entry("LogGroupName", sub("/aws/lambda/${Name}")),
        entry("RetentionInDays", reference("LogRetentionDays")),
    ];
    let after = vec![entry("DependsOn", text("FunctionLogs"))];
    vec![
        resource_with("Function", "AWS::Lambda::Function", after, properties),
        resource("FunctionTrigger", "AWS::Lambda::EventSourceMapping", mapping),
        resource_with("FunctionLogs", "AWS::Logs::LogGroup", deleted(), group),
    ]
}
