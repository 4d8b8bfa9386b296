//! The examples that end each help. docs/cli.md shows the same ones; a test compares.

pub(super) const ROOT: &str = "\
Examples:
  hydrant demo                          see the whole path work on this machine
  hydrant validate -c hydrant.yaml      check the settings
  hydrant run -c hydrant.yaml           run them

Exit codes: 0 done, 1 the operation failed, 2 usage, 65 bad data, 69 a remote
could not be reached, 70 a bug, 74 the disk failed, 77 credentials refused, 78
bad settings, 130 interrupted. Data goes to stdout, everything else to stderr.
NO_COLOR is honoured.";

pub(super) const DEMO: &str = "\
Examples:
  hydrant demo                          until Ctrl-C
  hydrant demo --for 30s                stop by itself; 0 if every point arrived
  hydrant demo --rate 2000              more metrics";

pub(super) const RUN: &str = "\
Examples:
  hydrant run                           with ./hydrant.yaml
  hydrant run -c /etc/hydrant/hydrant.yaml
  kill -HUP <pid>                       reload settings, certificates and keys";

pub(super) const VALIDATE: &str = "\
Examples:
  hydrant validate                       check ./hydrant.yaml
  hydrant validate -c new.yaml --online  also ask destinations and sources
  hydrant validate --output json         for a script; exit 0 or 78";

pub(super) const INSPECT: &str = "\
Examples:
  hydrant inspect object.gz             a table of what an S3 object holds
  hydrant inspect --output ndjson backup/ | jq .metric_name
  curl -s https://host/body | hydrant inspect --output mint

It reads record bytes, S3 objects, Firehose request bodies and backup objects,
gzip or not, in any of the three formats. Exit 65 if anything could not be
decoded; stderr says what and where.";

pub(super) const COST: &str = "\
Examples:
  hydrant cost backup/                  30 days, from what a folder holds
  hydrant cost capture.json --span 1h --exclude AWS/EC2:NetworkIn,NetworkOut
  hydrant cost object.gz --include AWS/ECS --output json | jq .filter.saved
  hydrant tap to-otel --for 10m | hydrant cost --span 10m
  hydrant cost capture/ --region eu-west-1 --prices prices.tsv

It reads what hydrant inspect reads. Counts are CloudWatch's: an update a point,
and one more for each started five additional statistics; Firehose rounds each
record up to 5 KB. Exit 65 if anything could not be decoded; stderr says what
and where. docs/cost.md has the prices and how far they carry.";

pub(super) const REPLAY: &str = "\
Examples:
  hydrant replay data/backup/to-dynatrace --to to-dynatrace --dry-run
  hydrant replay data/backup/to-dynatrace --to to-dynatrace --rate 5000
  hydrant replay s3://metrics/http-endpoint-failed/ --to to-otel --code 'Http*'
  hydrant replay s3://metrics/2026/ --to to-otel --namespace AWS/ECS --from 2h
  hydrant replay errors --to-endpoint https://in.example.com --access-key KEY

It reads Hydrant's backups and quarantine, Firehose's http-endpoint-failed/ and
processing-failed/ objects, and records as Firehose delivers them to S3,
compressed or not, told apart by content. What was put back once is not put back
again, and of a half-delivered record only the missing half. Ctrl-C stops it;
the same command goes on. Exit 65 if anything was broken; stderr says what and
where.";

pub(super) const SIMULATE: &str = "\
Examples:
  hydrant simulate --to http://127.0.0.1:4433 --access-key secret
  hydrant simulate --to http://127.0.0.1:4433 --gzip --rate 0 --points 1000000
  hydrant simulate --put-metric-data --to http://127.0.0.1:4566 --rate 100
  hydrant simulate --directory records --format json --points 1000";

pub(super) const CONFORM: &str = "\
Examples:
  hydrant conform http://127.0.0.1:4433 --access-key secret
  hydrant conform https://in.example.com/ --access-key secret --skip-large
  hydrant conform http://127.0.0.1:4433 --case cut-gzip --timeout 10s
  hydrant conform http://127.0.0.1:4433 --output json | jq .conformant

It sends about 12,000 test metrics, all in the namespace Hydrant/Conform. Exit 0
when the receiver is conformant, 1 when it would lose or hold up data or takes
anyone's, 69 when it cannot be reached, 77 when it refuses the access key.";

pub(super) const STATUS: &str = "\
Examples:
  hydrant status                        what ./hydrant.yaml runs
  hydrant status --data-dir /var/lib/hydrant
  hydrant status --output json | jq '.streams[].lag_seconds'
  hydrant status --ready                for a health check";

pub(super) const TOP: &str = "\
Examples:
  hydrant top                           until q or Ctrl-C
  hydrant top --interval 10s --data-dir /var/lib/hydrant
  hydrant top --once                    one table, for a script or a mail";

pub(super) const TAP: &str = "\
Examples:
  hydrant tap to-dynatrace --limit 10
  hydrant tap to-otel --namespace AWS/ECS --metric CPUUtilization | jq .value
  hydrant tap to-otel --dimension ClusterName=prod --for 5m | tee points.ndjson

It shows the points that were selected for the stream and enriched, as they are
packed and before they are sent. The stream never waits for it: what does not
fit is counted and said on stderr.";

pub(super) const TRACE: &str = "\
Examples:
  hydrant trace ed4acda5-034f-9f42-bba1-f29aea6d7d8f
  hydrant trace ed4acda5-034f-9f42-bba1-f29aea6d7d8f --output json
  hydrant trace ID --source-arn ARN     of a sender that is not in the journal

The running process knows a delivery for 2 h 15 min, and as long as its entry
lies in the journal. Exit 1 when it is not known, or not any more.";

pub(super) const DOCTOR: &str = "\
Examples:
  hydrant doctor                        settings, disk, certificates, process
  hydrant doctor --online --host in.example.com
  hydrant doctor HttpEndpoint.InvalidResponseFromDestination
  hydrant doctor - < failed.json        the codes in failed records, logs, text

Exit 1 when something is bad, or a code is not known; a warning is no failure.";

pub(super) const STREAM: &str = "\
Examples:
  hydrant stream forget old-stream      after it was removed from the settings
  hydrant stream drop-backlog to-dynatrace --yes";

pub(super) const STREAM_FORGET: &str = "\
Examples:
  hydrant stream forget old-stream
  hydrant stream forget old-stream --data-dir /var/lib/hydrant --yes";

pub(super) const STREAM_DROP_BACKLOG: &str = "\
Examples:
  hydrant stream drop-backlog to-dynatrace
  hydrant stream drop-backlog to-dynatrace -c hydrant.yaml --yes";

pub(super) const LAMBDA: &str = "\
Examples:
  hydrant lambda                        inside a Lambda container image
  cp hydrant bootstrap && zip function.zip bootstrap

The same binary named bootstrap needs no command. All settings come from
environment variables: docs/lambda.md lists them. Outside Lambda,
AWS_LAMBDA_RUNTIME_API must name a runtime API.";

pub(super) const MIGRATE: &str = "\
Examples:
  hydrant migrate dynatrace exports/ --dry-run
  hydrant migrate dynatrace exports/ --output migrated";

pub(super) const MIGRATE_DYNATRACE: &str = "\
Examples:
  hydrant migrate dynatrace exports/ --dry-run
  hydrant migrate dynatrace exports/ --output migrated
  hydrant migrate dynatrace board.json > new.json

It rewrites the keys of polled metrics (ext:cloud.aws.*) whose counterpart on a
metric stream is certain, and tells of every other one why it was left. Every
other byte stays. docs/migration.md has the rules and what has no counterpart.";

pub(super) const TAGS: &str = "\
Examples:
  hydrant tags fetch --output tags.json --region eu-west-1";

pub(super) const TAGS_FETCH: &str = "\
Examples:
  hydrant tags fetch --region eu-west-1 --region us-east-1 --keys Name,team
  hydrant tags fetch --output /etc/hydrant/tags.json --every 15m
  hydrant tags fetch --role-arn arn:aws:iam::111122223333:role/read-tags

It needs the right tag:GetResources. A region that fails keeps what the file had
of it, and the exit code is 77 when credentials were refused, 69 otherwise. AWS
lists only resources that have or had a tag.";

pub(super) const DEPLOY: &str = "\
Examples:
  hydrant deploy terraform --endpoint-url https://in.example.com/ --output aws
  hydrant deploy cloudformation --topology dynatrace --output aws";

pub(super) const DEPLOY_TERRAFORM: &str = "\
Examples:
  hydrant deploy terraform --endpoint-url https://in.example.com/ --output aws
  hydrant deploy terraform --source archive --output aws
  hydrant deploy terraform --topology lambda --stream to-otel --output aws
  hydrant deploy terraform --topology dynatrace --output aws

It writes main.tf, variables.tf, outputs.tf and versions.tf; with several
regions (--region eu-west-1,us-east-1) they call a module once a region. Then:
terraform -chdir=aws init && terraform -chdir=aws apply. docs/deploy.md has the
ways, the parameters, and how to check and to take down.";

pub(super) const DEPLOY_CLOUDFORMATION: &str = "\
Examples:
  hydrant deploy cloudformation --endpoint-url https://in.example.com/ -o aws
  hydrant deploy cloudformation --source archive --output aws
  hydrant deploy cloudformation --topology lambda --stream to-otel --output aws
  hydrant deploy cloudformation --topology dynatrace --output aws

It writes template.yaml, the same for every region: deploy it once in each.
Then: aws cloudformation deploy --capabilities CAPABILITY_IAM --template-file
aws/template.yaml --stack-name hydrant. docs/deploy.md has the ways, the
parameters, and how to check and to take down.";

pub(super) const COMPLETIONS: &str = "\
Examples:
  hydrant completions bash > /usr/share/bash-completion/completions/hydrant
  hydrant completions zsh > /usr/share/zsh/vendor-completions/_hydrant
  hydrant completions fish > ~/.config/fish/completions/hydrant.fish

The Debian package holds them already.";

pub(super) const MAN: &str = "\
Examples:
  hydrant man | man -l -                read it
  hydrant man --directory /usr/local/share/man/man1

The Debian package holds them already.";
