"""VictoriaMetrics, which receives Firehose deliveries by itself: what a metric stream brings it must be
what deliveries of our own bring to a second one.
"""
import math

import deliveries
import peers
from check_victoriametrics import PATH, PRECISION, samples
from cloud import place as places
from cloud import samples as given
from cloud.boto import metric_stream

NAMESPACE = "Shop/Victoria"
NAME = "to-victoria"
# The name of the stream is in it.
OWN_LABEL = "aws.exporter.arn"


class Victoria:
    def __init__(self, place):
        self.place = place
        self.direct = place.running.victoria_metrics("vm-direct")
        self.through = place.running.victoria_metrics("vm-through")
        self.points = []

    def make(self):
        """All samples in one call: a set that is corrected later would be there twice."""
        target = places.http_endpoint(self.through + PATH, places.bucket("victoria/"))
        self.place.client("firehose").create_delivery_stream(
            DeliveryStreamName=NAME, HttpEndpointDestinationConfiguration=target)
        cloudwatch = self.place.client("cloudwatch")
        cloudwatch.put_metric_stream(**metric_stream(NAME, NAMESPACE, NAME, "opentelemetry1.0"))
        datums = given.data()
        cloudwatch.put_metric_data(Namespace=NAMESPACE, MetricData=datums)
        self.points = given.points(NAMESPACE, datums)

    def held(self, base):
        found = {}
        for (labels, at), value in samples(base).items():
            found[(tuple(pair for pair in labels if pair[0] != OWN_LABEL), at)] = value
        return found

    def judge(self):
        deliveries.deliver_all(self.direct + PATH, self.points)
        expected = peers.wait_until("VictoriaMetrics has what it got directly",
                                    lambda: self.held(self.direct))
        peers.wait_until("VictoriaMetrics has what the metric stream sent",
                         lambda: len(self.held(self.through)) >= len(expected))
        got = self.held(self.through)
        wrong = [key for key in expected.keys() | got.keys()
                 if not math.isclose(expected.get(key, math.nan), got.get(key, math.nan),
                                     rel_tol=PRECISION)]
        if wrong:
            for key in wrong[:3]:
                print("  differs:", key, expected.get(key), got.get(key))
            raise SystemExit(f"FAILED: VictoriaMetrics: {len(wrong)} of {len(expected)} samples "
                             "differ")
        print(f"ok: VictoriaMetrics holds the same {len(expected)} samples, sent by a metric stream "
              "and directly")
