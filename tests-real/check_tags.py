#!/usr/bin/env python3
"""Tags of resources in moto, fetched by `hydrant tags fetch`, on points that `hydrant run` carries.

moto answers the Resource Groups Tagging API from the resources that boto3 makes here. With
--peers-only only moto is asked.
"""
import json
import os
import subprocess
import time

import deliveries
import peers

ACCOUNT, REGION = "123456789012", "eu-west-1"
WHO = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret",
       "AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
       "AWS_EC2_METADATA_DISABLED": "true"}


def make_resources(url):
    """Resources of some services, each with the tags Name and team; namespace and dimensions of a
    metric of each."""
    import boto3
    session = boto3.Session(aws_access_key_id="AKIDEXAMPLE", aws_secret_access_key="secret",
                            region_name=REGION)

    def client(service):
        return session.client(service, endpoint_url=url)

    def tags(name):
        return [{"Key": "Name", "Value": name}, {"Key": "team", "Value": "shop"}]

    ec2 = client("ec2")
    images = ec2.describe_images()["Images"]
    instance = ec2.run_instances(
        ImageId=images[0]["ImageId"], MinCount=1, MaxCount=1,
        TagSpecifications=[{"ResourceType": "instance", "Tags": tags("web")}],
    )["Instances"][0]["InstanceId"]
    volume = ec2.create_volume(
        AvailabilityZone=REGION + "a", Size=1,
        TagSpecifications=[{"ResourceType": "volume", "Tags": tags("disk")}])["VolumeId"]
    sqs = client("sqs")
    for at in range(150):  # more than a page
        sqs.create_queue(QueueName=f"jobs-{at}", tags={"Name": f"jobs-{at}", "team": "shop"})
    client("sns").create_topic(Name="alarms", Tags=tags("alarms"))
    client("rds").create_db_instance(
        DBInstanceIdentifier="orders", DBInstanceClass="db.t3.micro", Engine="postgres",
        MasterUsername="u", MasterUserPassword="password1", AllocatedStorage=10, Tags=tags("orders"))
    dynamodb = client("dynamodb")
    dynamodb.create_table(
        TableName="Orders", BillingMode="PAY_PER_REQUEST", Tags=tags("table"),
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}])
    elb = client("elbv2")
    subnets = [s["SubnetId"] for s in ec2.describe_subnets()["Subnets"]][:2]
    balancer = elb.create_load_balancer(Name="front", Subnets=subnets, Tags=tags("front"))
    arn = balancer["LoadBalancers"][0]["LoadBalancerArn"]
    s3 = client("s3")
    s3.create_bucket(Bucket="pictures", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_bucket_tagging(Bucket="pictures", Tagging={"TagSet": tags("pictures")})
    return [
        ("AWS/EC2", {"InstanceId": instance}, "web"),
        ("AWS/EBS", {"VolumeId": volume}, "disk"),
        ("AWS/SQS", {"QueueName": "jobs-149"}, "jobs-149"),
        ("AWS/SNS", {"TopicName": "alarms"}, "alarms"),
        ("AWS/RDS", {"DBInstanceIdentifier": "orders"}, "orders"),
        ("AWS/DynamoDB", {"Operation": "GetItem", "TableName": "Orders"}, "table"),
        ("AWS/ApplicationELB", {"LoadBalancer": arn.split(":loadbalancer/")[1]}, "front"),
        ("AWS/S3", {"BucketName": "pictures", "StorageType": "StandardStorage"}, "pictures"),
        ("AWS/SQS", {"QueueName": "unknown"}, None),
    ]


def fetch(binary, url, output, *arguments):
    done = subprocess.run(
        [binary, "tags", "fetch", "--endpoint-url", url, "--output", output, *arguments],
        env={**os.environ, **WHO}, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"FAILED: tags fetch: exit {done.returncode}: {done.stderr}")
    return done.stderr


def point(namespace, dimensions):
    start = int(time.time() // 60 - 1) * deliveries.MINUTE_NS
    return deliveries.Point(ACCOUNT, REGION, namespace, "m", dimensions, "1", start, 1, 1, 1, 1)


def check(binary, running, url, wanted):
    snapshot, out = running.path / "tags.json", running.path / "points.ndjson"
    said = fetch(binary, url, snapshot, "--region", REGION, "--keys", "Name,team")
    count = sum(len(r["resources"]) for r in json.loads(snapshot.read_text())["regions"])
    if count < 157:
        raise SystemExit(f"FAILED: {count} resources were fetched: {said}")
    print(f"ok: {count} resources of moto are fetched, page by page")
    fetch(binary, url, running.path / "one.json", "--region", REGION, "--types", "dynamodb:table")
    one = json.loads((running.path / "one.json").read_text())["regions"][0]["resources"]
    if list(one) != [f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/Orders"]:
        raise SystemExit(f"FAILED: --types gives {list(one)}")
    print("ok: --types asks for one type")

    enrich = {"attributes": [{"when": {"accounts": [ACCOUNT]}, "set": {"tag.team": "nobody"}}],
              "tags": {"file": str(snapshot), "keys": ["Name", "team"]}}
    door = running.hydrant(binary, {"type": "file", "path": str(out)}, enrich=enrich)
    sent = [point(namespace, dimensions) for namespace, dimensions, _ in wanted]
    deliveries.deliver_all(door, sent, "opentelemetry1.0", deliveries=1)

    def arrived():
        lines = out.read_text().splitlines() if out.exists() else []
        return lines if len(lines) == len(sent) else None

    lines = peers.wait_until("all points arrive", arrived)
    found = {(p["namespace"], json.dumps(p["dimensions"], sort_keys=True)): p.get("attributes")
             for p in map(json.loads, lines)}
    for namespace, dimensions, name in wanted:
        expect = {"tag.team": "shop", "tag.Name": name} if name else {"tag.team": "nobody"}
        got = found[namespace, json.dumps(dimensions, sort_keys=True)]
        if got != expect:
            raise SystemExit(f"FAILED: {namespace} {dimensions}: {got}, not {expect}")
    print(f"ok: points of {len(wanted) - 1} services carry the tags of their resources")


def main():
    peers.enter_venv()
    binary = peers.binary_from_arguments("check_tags.py")
    with peers.Running() as running:
        url = running.moto()
        wanted = make_resources(url)
        if binary is None:
            print("ok: moto has resources with tags")
            return
        check(binary, running, url, wanted)


main()
