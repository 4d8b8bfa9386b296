#!/usr/bin/env python3
"""Hydrant in place of AWS."""
import deliveries
import peers
from cloud import boto, place as places


def main():
    peers.enter_venv()
    binary = peers.binary_from_arguments("check_cloud.py")
    with peers.Running() as running:
        s3 = running.moto()
        place = places.Place(running, binary, s3)
        targets = places.Targets(place, "boto3")
        points = boto.make(place, targets)
        targets.judge(points, "boto3")
        boto.operations(place, targets.namespace, points)


main()
