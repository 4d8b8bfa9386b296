"""A module of Terraform, read by an HCL parser, with its references replaced."""
import re

from .arguments import ARGUMENTS, META
from .policies import many_lines

MARK = "__is_block__"


def own(body):
    """Without what the parser adds (that it is a block, comments), and what is no argument of AWS."""
    return {key: value for key, value in body.items() if not key.startswith("__") and key not in META}


def plain(text):
    """A name or literal as the parser gives it, without its quotes."""
    return text[1:-1] if isinstance(text, str) and text.startswith('"') else text


def camel(name):
    return "".join(word.capitalize() for word in name.split("_"))


def closed(text, start):
    """Where the brace that is open before `start` is closed."""
    depth = 1
    for at in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        if depth == 0:
            return at
    raise SystemExit(f"FAILED: not closed: {text}")


class Module:
    """All files of a folder."""

    def __init__(self, folder, account, region, given):
        import hcl2
        self.account, self.region, self.given = account, region, given
        self.variables, self.locals, self.modules = {}, {}, {}
        self.resources, self.data, self.outputs = {}, {}, {}
        for file in sorted(folder.glob("*.tf")):
            with file.open() as text:
                try:
                    self.take(hcl2.load(text))
                except Exception as error:
                    raise SystemExit(f"FAILED: {file}: {error}") from error
        self.texts = "\n".join(file.read_text() for file in sorted(folder.glob("*.tf")))

    def take(self, parsed):
        for kind, known in (("variable", self.variables), ("output", self.outputs),
                            ("module", self.modules)):
            for one in parsed.get(kind, []):
                known.update({plain(name): body for name, body in one.items()})
        for one in parsed.get("locals", []):
            self.locals.update(own(one))
        for kind, known in (("resource", self.resources), ("data", self.data)):
            for one in parsed.get(kind, []):
                for kind_of, named in one.items():
                    for name, body in named.items():
                        known[plain(kind_of), plain(name)] = body

    def check_arguments(self):
        """Every argument is one that the documentation has."""
        for (kind, name), body in {**self.resources, **self.data}.items():
            unknown = sorted(set(paths(body)) - ARGUMENTS[kind])
            if unknown:
                raise SystemExit(f"FAILED: {kind}.{name}: no such arguments: {unknown}")

    def check_references(self):
        """What is referred to is there, and every variable is used."""
        used = set(re.findall(r"\bvar\.(\w+)", self.texts))
        if used != set(self.variables):
            raise SystemExit(f"FAILED: variables: {sorted(used ^ set(self.variables))}")
        code = re.sub(r'^ *#.*$', "", self.texts, flags=re.M)
        for kind, name in re.findall(r"\b(aws_\w+)\.(\w+)", code):
            if (kind, name) not in self.resources and (kind, name) not in self.data:
                raise SystemExit(f"FAILED: {kind}.{name} is not there")
        for name in re.findall(r"\blocal\.(\w+)", code):
            if name not in self.locals:
                raise SystemExit(f"FAILED: local.{name} is not there")

    def check_calls(self, client, names):
        inner = Module(client, self.account, self.region, self.given)
        if sorted(self.modules) != names:
            raise SystemExit(f"FAILED: modules {sorted(self.modules)}")
        for name, call in self.modules.items():
            arguments = set(own(call)) - {"source", "providers"}
            if arguments != set(inner.variables):
                raise SystemExit(f"FAILED: module {name}: {arguments ^ set(inner.variables)}")
        for output in self.outputs:
            if output not in inner.outputs:
                raise SystemExit(f"FAILED: output {output} of the module is not there")

    def value(self, node):
        if isinstance(node, list):
            return [self.value(item) for item in node]
        if isinstance(node, dict):
            return {plain(key): self.value(item) for key, item in own(node).items()}
        if not isinstance(node, str):
            return node
        if node.startswith('"'):
            return self.template(node[1:-1])
        if node.startswith("${"):
            return self.expression(node[2:-1])
        return self.expression(node)

    def template(self, text):
        out, at = "", 0
        while at < len(text):
            if text.startswith("$${", at):
                out, at = out + "${", at + 3
            elif text.startswith("${", at):
                end = closed(text, at + 2)
                out, at = out + str(self.expression(text[at + 2:end])), end + 1
            elif text[at] == "\\":
                out, at = out + {"n": "\n"}.get(text[at + 1], text[at + 1]), at + 2
            else:
                out, at = out + text[at], at + 1
        return out

    def expression(self, text):
        text = text.strip()
        if match := re.fullmatch(r"tostring\((.+)\)", text):
            value = self.expression(match[1])
            return str(value).lower() if isinstance(value, bool) else str(value)
        if match := re.fullmatch(r"var\.(\w+)", text):
            default = self.variables[match[1]].get("default")
            return self.given[camel(match[1])] if default is None else self.value(default)
        if match := re.fullmatch(r"local\.(\w+)", text):
            return self.value(self.locals[match[1]])
        if match := re.fullmatch(r"(?:data\.)?(\w+)\.(\w+)\.(\w+)", text):
            return self.attribute(*match.groups())
        raise SystemExit(f"FAILED: an expression that is not known: {text}")

    def attribute(self, kind, name, key):
        """What AWS would say, by the same rules as for the other tool."""
        known = {("aws_caller_identity", "account_id"): self.account, ("aws_partition", "partition"): "aws",
                 ("aws_partition", "dns_suffix"): "amazonaws.com", ("aws_region", "id"): self.region}
        if (kind, key) in known:
            return known[kind, key]
        body = self.resources[kind, name]
        own = self.value(body.get("name", body.get("bucket", body.get("function_name", '""'))))
        if key != "arn":
            return own
        here = f"{self.region}:{self.account}"
        return {
            "aws_s3_bucket": f"arn:aws:s3:::{own}",
            "aws_sqs_queue": f"arn:aws:sqs:{here}:{own}",
            "aws_kms_key": f"arn:aws:kms:{here}:key/1234abcd-12ab-34cd-56ef-1234567890ab",
            "aws_iam_role": f"arn:aws:iam::{self.account}:role/{camel(name)}Role",
            "aws_cloudwatch_log_group": f"arn:aws:logs:{here}:log-group:{own}",
            "aws_kinesis_firehose_delivery_stream": f"arn:aws:firehose:{here}:deliverystream/{own}",
        }[kind]

    def policy_actions(self):
        documents = [body for (kind, _), body in self.data.items() if kind == "aws_iam_policy_document"]
        found = []
        for document in documents:
            for statement in self.value(document)["statement"]:
                tests = {(one["test"], one["variable"]): sorted(one["values"])
                         for one in statement.get("condition", [])}
                found.append([statement.get("effect", "Allow"), sorted(statement["actions"]),
                              sorted(statement.get("resources", [])), many_lines(tests)])
        return sorted(found)

    def call(self, operation):
        if operation == "PutMetricStream":
            (_, body), = [item for item in self.resources.items()
                          if item[0][0] == "aws_cloudwatch_metric_stream"]
            return metric_stream(self.value(body))
        (_, body), = [item for item in self.resources.items()
                      if item[0][0] == "aws_kinesis_firehose_delivery_stream"]
        return delivery_stream(self.value(body))


def paths(body, above=""):
    for key, value in own(body).items():
        yield above + key
        blocks = value if isinstance(value, list) else []
        for block in blocks:
            if isinstance(block, dict) and MARK in block:
                yield from paths(block, f"{above}{key}.")


def metric_stream(body):
    given = {"Name": body["name"], "RoleArn": body["role_arn"], "FirehoseArn": body["firehose_arn"],
             "OutputFormat": body["output_format"],
             "IncludeLinkedAccountsMetrics": body["include_linked_accounts_metrics"]}
    for key, name in (("include_filter", "IncludeFilters"), ("exclude_filter", "ExcludeFilters")):
        if key in body:
            given[name] = [{camel(word): value for word, value in one.items()} for one in body[key]]
    return given


def delivery_stream(body):
    encryption, = body["server_side_encryption"]
    given = {"DeliveryStreamName": body["name"], "DeliveryStreamType": "DirectPut",
             "DeliveryStreamEncryptionConfigurationInput": {"KeyType": encryption["key_type"]}}
    if body["destination"] == "extended_s3":
        given["ExtendedS3DestinationConfiguration"] = s3(body["extended_s3_configuration"][0])
    else:
        given["HttpEndpointDestinationConfiguration"] = http(body["http_endpoint_configuration"][0])
    return given


def hints(body):
    return {"SizeInMBs": body["buffering_size"], "IntervalInSeconds": body["buffering_interval"]}


def logging(body):
    one, = body["cloudwatch_logging_options"]
    return {"Enabled": one["enabled"], "LogGroupName": one["log_group_name"],
            "LogStreamName": one["log_stream_name"]}


def s3(body):
    given = {"RoleARN": body["role_arn"], "BucketARN": body["bucket_arn"],
             "ErrorOutputPrefix": body["error_output_prefix"],
             "CompressionFormat": body["compression_format"], "CloudWatchLoggingOptions": logging(body)}
    if "prefix" in body:
        given |= {"Prefix": body["prefix"], "BufferingHints": hints(body)}
    return given


def http(body):
    target = {"Url": body["url"], "Name": body["name"]}
    if "access_key" in body:
        target["AccessKey"] = body["access_key"]
    request, = body["request_configuration"]
    requested = {"ContentEncoding": request["content_encoding"]}
    if "common_attributes" in request:
        requested["CommonAttributes"] = [
            {"AttributeName": one["name"], "AttributeValue": one["value"]}
            for one in request["common_attributes"]]
    given = {
        "EndpointConfiguration": target, "RoleARN": body["role_arn"], "BufferingHints": hints(body),
        "RetryOptions": {"DurationInSeconds": body["retry_duration"]},
        "RequestConfiguration": requested, "CloudWatchLoggingOptions": logging(body),
        "S3BackupMode": body["s3_backup_mode"], "S3Configuration": s3(body["s3_configuration"][0])}
    for secret in body.get("secrets_manager_configuration", []):
        given["SecretsManagerConfiguration"] = {
            "Enabled": secret["enabled"], "RoleARN": secret["role_arn"],
            "SecretARN": secret["secret_arn"]}
    return given
