#!/usr/bin/env python3
"""Hydrant in place of AWS, driven by AWS's own clients: boto3 in every protocol, the AWS CLI, the SDKs
for JavaScript and Rust, and the calls of Terraform's AWS provider.

What they put must arrive in all three formats, at a strict receiver that is not ours, at
VictoriaMetrics, and through Hydrant's own Firehose source; every refusal must be the exception that
the client has for it; and what goes to S3 is read back from moto and from s3s-fs.
"""
import concurrent.futures
import signal
import sys

import peers
from cloud import boto, boto_errors, buckets, cli, others, place, terraform_runs, victoria


def check_restart(here, targets):
    """Killed in an open minute: streams of both kinds are there again, and so is what was put."""
    def names():
        metric_streams = here.client("cloudwatch").list_metric_streams()["Entries"]
        delivery_streams = here.client("firehose").list_delivery_streams(Limit=100)
        return ([stream["Name"] for stream in metric_streams],
                delivery_streams["DeliveryStreamNames"])

    def kill():
        before = names()
        here.process.send_signal(signal.SIGKILL)
        here.process.wait()
        here.start(data=here.data)
        boto.same(names(), before, "streams after a kill")

    return boto.put_now(here, targets.namespace, kill)


def check_clients(binary):
    with peers.Running() as running, concurrent.futures.ThreadPoolExecutor() as threads:
        here = place.Place(running, binary, running.moto())
        targets = place.Targets(here, "boto3")
        to_victoria = victoria.Victoria(here)
        programs = [*others.programs(here), cli.Cli(here)]
        made = [threads.submit(program.make) for program in programs]
        points = boto.make(here, targets)
        to_victoria.make()
        terraform_runs.check(here)
        boto_errors.check(here)
        targets.judge(points, "boto3")
        to_victoria.judge()
        for making in made:
            making.result()
        finished = [threads.submit(program.finish) for program in programs]
        boto.operations(here, targets.namespace, points)
        for finishing in finished:
            finishing.result()
        now = check_restart(here, targets)
        targets.judge(points + now, "boto3, a minute that was open, after a kill")


def check_buckets(binary):
    with peers.Running() as running:
        buckets.check(running, binary)


def main():
    peers.enter_venv()
    binary = peers.binary_from_arguments("check_cloud.py")
    others.needed()
    sys.stdout = peers.WholeLines(sys.stdout)
    if binary is None:
        with peers.Running() as running:
            running.moto()
            running.s3s()
            running.victoria_metrics("vm")
        print("ok: moto, s3s-fs and VictoriaMetrics start; clients are there")
        return
    with concurrent.futures.ThreadPoolExecutor() as threads:
        parts = [threads.submit(part, binary) for part in (check_clients, check_buckets)]
        for part in parts:
            part.result()


if __name__ == "__main__":
    main()
