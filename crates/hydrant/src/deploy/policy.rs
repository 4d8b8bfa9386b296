//! Who may do what: roles, their trust, and the policies of bucket, queue and key.
//!
//! One list for both writers, so that neither tool grants more than the other.

/// A role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// In Terraform's spelling; a part of its name.
    pub id: &'static str,
    /// Who takes it on.
    pub trust: Trust,
    /// What it may do.
    pub statements: Vec<Statement>,
}

/// Who takes a role on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// A service of AWS, which names the account as external id.
    ServiceWithAccount(&'static str),
    /// A service of AWS that only takes roles of the function's own account.
    Service(&'static str),
    /// A principal that must know the external id, both given by parameters.
    Principal {
        /// Parameter with its ARN.
        arn: &'static str,
        /// Parameter with the external id.
        external_id: &'static str,
    },
}

/// One statement of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Its id.
    pub sid: &'static str,
    /// `Allow` or `Deny`.
    pub effect: &'static str,
    /// In the policy of a resource: to whom.
    pub principal: Option<Principal>,
    /// Actions.
    pub actions: Vec<&'static str>,
    /// On what.
    pub resources: Vec<Target>,
    /// When.
    pub conditions: Vec<Condition>,
}

/// To whom the policy of a resource speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Principal {
    /// Anyone.
    Anyone,
    /// The account; its own policies say who.
    Account,
    /// A service of AWS.
    Service(&'static str),
}

/// On what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// The Firehose stream.
    DeliveryStream,
    /// The bucket.
    Bucket,
    /// Its objects below this prefix.
    Objects(String),
    /// The KMS key.
    Key,
    /// The log group of Firehose.
    FirehoseLogs,
    /// The log group of the function.
    FunctionLogs,
    /// The secret that a parameter names.
    Secret(&'static str),
    /// The queue.
    Queue,
    /// Something that is there already: an ARN without its beginning `arn:PARTITION:`.
    Other(String),
    /// The resource that the policy belongs to.
    Itself,
}

/// When.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// `StringEquals`.
    pub test: &'static str,
    /// `aws:SourceAccount`.
    pub key: &'static str,
    /// What it is compared with.
    pub value: Operand,
}

/// What a condition compares with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operand {
    /// This account.
    Account,
    /// S3 of this region, as KMS sees it.
    S3,
    /// The bucket's ARN.
    Bucket,
    /// The bucket's ARN and those of its objects.
    BucketAndObjects,
    /// The word.
    Word(&'static str),
}

/// A text as IAM takes it literally: `*` and `?` are no wildcards, `$` begins no variable.
pub fn literal(text: &str) -> String {
    let one = |c: char| match c {
        '*' | '?' | '$' => format!("${{{c}}}"),
        c => c.to_string(),
    };
    text.chars().map(one).collect()
}

impl Statement {
    fn allow(sid: &'static str, actions: &[&'static str], resources: Vec<Target>) -> Self {
        let (actions, conditions) = (actions.to_vec(), Vec::new());
        Self { sid, effect: "Allow", principal: None, actions, resources, conditions }
    }

    fn when(mut self, test: &'static str, key: &'static str, value: Operand) -> Self {
        self.conditions.push(Condition { test, key, value });
        self
    }

    fn to(mut self, principal: Principal) -> Self {
        self.principal = Some(principal);
        self
    }
}

/// CloudWatch puts records into the Firehose stream, and does nothing else.
pub fn metric_stream() -> Role {
    let actions = ["firehose:PutRecord", "firehose:PutRecordBatch"];
    Role {
        id: "metric_stream",
        trust: Trust::ServiceWithAccount("streams.metrics.cloudwatch.amazonaws.com"),
        statements: vec![Statement::allow("PutMetrics", &actions, vec![Target::DeliveryStream])],
    }
}

/// Firehose writes to the bucket and its log, and reads the access key.
pub fn firehose(secret: Option<&'static str>) -> Role {
    let bucket = ["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"];
    let objects = ["s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"];
    let mut statements = vec![
        Statement::allow("FindBucket", &bucket, vec![Target::Bucket]),
        Statement::allow("WriteObjects", &objects, vec![Target::Objects(String::new())]),
        use_key(&["kms:Decrypt", "kms:GenerateDataKey"]),
        Statement::allow("WriteErrorLog", &["logs:PutLogEvents"], vec![Target::FirehoseLogs]),
    ];
    if let Some(parameter) = secret {
        let actions = ["secretsmanager:GetSecretValue"];
        statements.push(Statement::allow("ReadKey", &actions, vec![Target::Secret(parameter)]));
    }
    Role { id: "firehose", trust: Trust::ServiceWithAccount("firehose.amazonaws.com"), statements }
}

/// What reads the objects: Hydrant, or the function.
pub fn read_objects(prefix: &str, queue: Option<&[&'static str]>) -> Vec<Statement> {
    let objects = vec![Target::Objects(prefix.to_owned())];
    let mut statements = vec![
        // Listing also tells an object that is gone from one that may not be read.
        Statement::allow("ListBucket", &["s3:ListBucket"], vec![Target::Bucket]),
        Statement::allow("ReadObjects", &["s3:GetObject"], objects),
        use_key(&["kms:Decrypt"]),
    ];
    if let Some(actions) = queue {
        statements.push(Statement::allow("ReadQueue", actions, vec![Target::Queue]));
    }
    statements
}

/// What Hydrant asks of a queue.
pub const HYDRANT_ON_QUEUE: [&str; 4] = [
    "sqs:ReceiveMessage",
    "sqs:DeleteMessage",
    "sqs:ChangeMessageVisibility",
    "sqs:GetQueueAttributes",
];
/// What Lambda asks of a queue, by the role of the function.
pub const LAMBDA_ON_QUEUE: [&str; 3] =
    ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"];

/// The function reads objects and queue, and writes its log; with a backup, objects of its bucket.
pub fn function(prefix: &str, backup_bucket: Option<&str>) -> Role {
    let mut statements = read_objects(prefix, Some(&LAMBDA_ON_QUEUE));
    let actions = ["logs:CreateLogStream", "logs:PutLogEvents"];
    statements.push(Statement::allow("WriteLog", &actions, vec![Target::FunctionLogs]));
    if let Some(bucket) = backup_bucket {
        let objects = vec![Target::Other(format!("s3:::{bucket}/*"))];
        statements.push(Statement::allow("WriteBackup", &["s3:PutObject"], objects));
    }
    Role { id: "function", trust: Trust::Service("lambda.amazonaws.com"), statements }
}

/// S3 uses the key for whoever may use the bucket; nobody uses it for anything else.
fn use_key(actions: &[&'static str]) -> Statement {
    Statement::allow("UseKey", actions, vec![Target::Key])
        .when("StringEquals", "kms:ViaService", Operand::S3)
        .when("StringLike", "kms:EncryptionContext:aws:s3:arn", Operand::BucketAndObjects)
}

/// Nobody reaches the bucket without TLS.
pub fn bucket() -> Vec<Statement> {
    let resources = vec![Target::Bucket, Target::Objects(String::new())];
    let deny = Statement { effect: "Deny", ..Statement::allow("OnlyTls", &["s3:*"], resources) };
    vec![deny.to(Principal::Anyone).when("Bool", "aws:SecureTransport", Operand::Word("false"))]
}

/// The bucket, of this account, tells the queue of new objects.
pub fn queue() -> Vec<Statement> {
    let told = Statement::allow("ToldByBucket", &["sqs:SendMessage"], vec![Target::Queue]);
    vec![
        told.to(Principal::Service("s3.amazonaws.com"))
            .when("StringEquals", "aws:SourceAccount", Operand::Account)
            .when("ArnEquals", "aws:SourceArn", Operand::Bucket),
    ]
}

/// Policies of the account say who uses the key; without this nobody could administer it.
pub fn key() -> Vec<Statement> {
    let all = Statement::allow("Account", &["kms:*"], vec![Target::Itself]);
    vec![all.to(Principal::Account)]
}
