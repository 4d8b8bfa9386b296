#!/usr/bin/env python3
"""What `hydrant deploy` writes, judged by cfn-lint, an HCL parser, `terraform fmt` where it is at
hand, a policy linter, and botocore: the resources of every way are made in moto, call by call, and its
streams at Hydrant's own AWS half, where data flows through them.

With --endpoint-url URL the metric stream and the Firehose stream are made there instead, by the same
calls (an implementation of the two APIs); `--access-key-id` and `--secret-access-key` sign them.
"""
import argparse
import json
import pathlib
import shutil
import subprocess
import sys

import peers
from deployed import at_hydrant, cloudformation, policies, terraform

ACCOUNT, REGION = "123456789012", "eu-west-1"
SECRET = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:key-AbCdEf"
# Parameters without a default, by CloudFormation's names.
GIVEN = {
    "AccessKeySecretArn": SECRET, "AccessKey": "key", "DynatraceApiKey": "dt0c01.X",
    "DynatraceEnvironmentUrl": "https://abc12345.live.dynatrace.com",
    "ReaderExternalId": "an-id", "CodeBucket": "code", "StreamKey": "k",
}
SETTINGS = """
sources:
  aws: { type: firehose, listen: '0.0.0.0:443', access_keys: ["${FIREHOSE_ACCESS_KEY}"],
         tls: { cert_file: not-here.crt, key_file: not-here.key } }
  drop-in: { type: firehose, listen: '0.0.0.0:444' }
  archive: { type: s3, bucket: metrics, prefix: cloudwatch/,
             sqs_queue_url: "https://sqs.eu-west-1.amazonaws.com/123456789012/objects" }
  listed: { type: s3, bucket: listed, region: eu-west-1 }
streams:
  chosen:
    source: [aws, archive]
    include: [ { namespace: AWS/ECS, metric_names: [CPUUtilization, MemoryUtilization] },
               { namespace: AWS/EC2, dimensions: { InstanceId: i-1 } } ]
    destination: { type: otlp, endpoint: "https://collector.example.com",
                   headers: { x-key: "${KEY}" } }
    backup: { s3: { bucket: metrics-failed } }
  most:
    source: listed
    exclude: [ { namespace: "AWS/Usage" } ]
    destination: { type: dynatrace, url: "https://abc12345.live.dynatrace.com", api_token: "${DT}" }
  anybody:
    source: drop-in
    destination: { type: dynatrace, from_request: {
        allowed_hosts: ["*.live.dynatrace.com"], token_key: "${TOKEN_KEY}" } }
"""
URL = ["--endpoint-url", "https://metrics.example.com/"]
WAYS = {
    "http": ["--source", "aws", *URL, "--attribute", "team=the ${shop}"],
    "http, key in a variable": ["--source", "aws", *URL, "--access-key", "variable", "--format", "json"],
    "http, as Dynatrace's endpoint": ["--source", "drop-in", *URL],
    "s3, listed": ["--source", "listed"],
    "sqs": ["--source", "archive", "--reader", f"arn:aws:iam::{ACCOUNT}:role/hydrant"],
    "lambda": ["--topology", "lambda", "--stream", "chosen", "--region", REGION],
    "dynatrace": ["--topology", "dynatrace", "--stream", "most", "--linked-accounts"],
    "dynatrace, key in a secret": ["--topology", "dynatrace", "--stream", "most", "--access-key", "secret"],
}
TWO_REGIONS = ["--source", "aws", *URL, "--region", "eu-west-1,us-east-1"]


def deploy(binary, tool, settings, flags, folder):
    command = [binary, "deploy", tool, "-c", settings, "--output", folder, *flags]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    if done.returncode != 0 or done.stdout:
        raise SystemExit(f"FAILED: {' '.join(flags)}: exit {done.returncode}: {done.stderr}")
    return folder


def lint_template(file):
    done = subprocess.run([peers.PYTHON.parent / "cfn-lint", "--include-checks", "I", "--", file],
                          capture_output=True, text=True, check=False)
    if done.returncode != 0 or done.stdout.strip():
        raise SystemExit(f"FAILED: cfn-lint: {done.stdout}{done.stderr}")


def lint_policies(way, template):
    """Every policy of the template, with what it refers to filled in, through parliament."""
    found = policies.of_template(template)
    if len(found) < 4:
        raise SystemExit(f"FAILED: {way}: only {len(found)} policies")
    for name, policy in found:
        for finding in policies.findings(policy, name):
            raise SystemExit(f"FAILED: {way}: {name}: {finding}: {json.dumps(policy)}")
    return found


def check_style(folder):
    """As `terraform fmt` writes, where there is a terraform."""
    if not shutil.which("terraform"):
        return False
    done = subprocess.run(["terraform", "fmt", "-check", "-diff", "-recursive", "-no-color", folder],
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"FAILED: terraform fmt: {done.stdout}{done.stderr}")
    return True


def same(way, what, one, other):
    if one != other:
        raise SystemExit(f"FAILED: {way}: {what} differ:\nCloudFormation {json.dumps(one, indent=1)}\n"
                         f"Terraform      {json.dumps(other, indent=1)}")


def check_way(binary, settings, way, flags, running, made_in):
    folder = running.path / way.replace(" ", "-").replace(",", "").replace("'", "")
    file = deploy(binary, "cloudformation", settings, flags, folder / "cfn") / "template.yaml"
    lint_template(file)
    template = cloudformation.Template(file, ACCOUNT, REGION, GIVEN)
    found = lint_policies(way, template)
    tf = deploy(binary, "terraform", settings, flags, folder / "tf")
    formatted = check_style(tf)
    module = terraform.Module(tf, ACCOUNT, REGION, GIVEN)
    module.check_arguments()
    module.check_references()
    same(way, "statements", policies.actions(found), module.policy_actions())
    calls = template.calls()
    for operation in ("CreateDeliveryStream", "PutMetricStream"):
        same(way, operation, calls[operation], module.call(operation))
    made = made_in(template, module)
    fmt = ", terraform fmt" if formatted else ""
    print(f"ok: {way}: cfn-lint, {len(found)} policies, HCL{fmt}; both tools ask for the same; {made}")


def in_moto_and_here(url, half):
    def make(template, module):
        makers = cloudformation.Makers(template, url)
        makers.make_all()
        return f"{len(makers.made)} resources made in moto; {half.make(template, module)}"
    return make


def elsewhere(arguments):
    def make(template, module):
        for maker in (template.calls, lambda: {name: module.call(name) for name in
                                               ("CreateDeliveryStream", "PutMetricStream")}):
            cloudformation.make_streams(maker(), arguments.endpoint_url, REGION,
                                        arguments.access_key_id, arguments.secret_access_key)
        return f"both streams made and removed at {arguments.endpoint_url}, twice"
    return make


def check_linters():
    """A linter that finds nothing wrong anywhere would pass everything."""
    wrong = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["firehose:PutRecrd"], "Resource": "*"}]}
    if not policies.findings(wrong):
        raise SystemExit("FAILED: the policy linter does not know a misspelt action")
    print("ok: the policy linter finds a misspelt action")


def check_regions(binary, settings, running):
    folder = deploy(binary, "terraform", settings, TWO_REGIONS, running.path / "regions")
    check_style(folder)
    names = sorted(str(file.relative_to(folder)) for file in folder.rglob("*.tf"))
    files = ["main.tf", "outputs.tf", "variables.tf", "versions.tf"]
    if names != sorted(files + [f"client/{name}" for name in files]):
        raise SystemExit(f"FAILED: two regions: {names}")
    terraform.Module(folder / "client", ACCOUNT, REGION, GIVEN).check_arguments()
    root = terraform.Module(folder, ACCOUNT, REGION, GIVEN)
    root.check_calls(folder / "client", ["eu_west_1", "us_east_1"])
    print("ok: two regions: the module is called for each, with every variable it has")


def arguments_of():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("binary", nargs="?", type=pathlib.Path)
    parser.add_argument("--peers-only", action="store_true")
    parser.add_argument("--endpoint-url")
    parser.add_argument("--access-key-id", default="AKIDEXAMPLE")
    parser.add_argument("--secret-access-key", default="secret")
    return parser.parse_args()


def main():
    peers.enter_venv()
    arguments = arguments_of()
    check_linters()
    if arguments.peers_only:
        return
    if arguments.binary is None or not arguments.binary.exists():
        sys.exit("usage: check_deploy.py PATH-OF-HYDRANT [--endpoint-url URL] | --peers-only")
    binary = arguments.binary.resolve()
    with peers.Running() as running:
        if arguments.endpoint_url:
            made_in = elsewhere(arguments)
        else:
            half = at_hydrant.Half(running, binary, ACCOUNT, REGION)
            made_in = in_moto_and_here(running.moto(), half)
        settings = running.path / "hydrant.yaml"
        settings.write_text(SETTINGS)
        for way, flags in WAYS.items():
            check_way(binary, settings, way, flags, running, made_in)
        check_regions(binary, settings, running)


main()
