"""What `hydrant deploy` writes, created at Hydrant's own AWS half, with data flowing through it."""
import copy
import time

import deliveries
import peers
from deployed import cloudformation

KEY_ID, SECRET = "AKIDDEPLOY", "deploy-secret"


class Half:
    """One Hydrant that is the AWS side, and the receiver behind its own Firehose source."""

    def __init__(self, running, binary, account, region):
        self.account, self.region = account, region
        port, own = peers.free_port(), peers.free_port()
        self.url, self.own = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{own}/"
        backend, self.arrived = running.otlp_sink()
        running.hydrant_with(binary, {
            "cloud": {"type": "aws_api", "listen": f"127.0.0.1:{port}", "region": region,
                      "allow_http_endpoints": True, "window_grace": "0s",
                      "credentials": [{"access_key_id": KEY_ID, "secret_access_key": SECRET,
                                       "account_id": account}]},
            "own": {"type": "firehose", "listen": f"127.0.0.1:{own}",
                    "access_keys": [deliveries.KEY]},
        }, {"out": {"source": "own", "destination": {"type": "otlp", "endpoint": backend}}})

    def client(self, service):
        import boto3
        return boto3.client(service, endpoint_url=self.url, region_name=self.region,
                            aws_access_key_id=KEY_ID, aws_secret_access_key=SECRET)

    def make(self, template, module):
        """Both tools' streams made, read and removed; what the metric stream selects flows."""
        ways = {"cloudformation": template.calls(),
                "terraform": {name: module.call(name)
                              for name in ("CreateDeliveryStream", "PutMetricStream")}}
        flows = False
        for calls in ways.values():
            calls = copy.deepcopy(calls)
            http = calls["CreateDeliveryStream"].get("HttpEndpointDestinationConfiguration")
            if http:
                # Where Secrets Manager stands in the cloud, the key stands here; and the endpoint is
                # on this machine. All else is as it was written.
                if http.pop("SecretsManagerConfiguration", None) is not None:
                    http["EndpointConfiguration"]["AccessKey"] = deliveries.KEY
                http["EndpointConfiguration"].update(Url=self.own, AccessKey=deliveries.KEY)
                http["BufferingHints"]["IntervalInSeconds"] = 0
            cloudformation.make_streams(
                calls, self.url, self.region, KEY_ID, SECRET,
                meanwhile=self.flow(calls["PutMetricStream"]) if http else lambda: None)
            flows = flows or bool(http)
        told = ", data flowed" if flows else ""
        return f"made, read{told} and removed at Hydrant's AWS half, twice"

    def flow(self, metric_stream):
        """Puts a metric that the stream selects, and waits until it has come out behind."""
        filters = metric_stream.get("IncludeFilters")
        chosen = filters[0] if filters else {"Namespace": "Shop"}
        namespace = chosen["Namespace"]
        name = (chosen.get("MetricNames") or ["Orders"])[0]

        def flow():
            before = len(self.arrived)
            # Larger each time: the minute may hold an earlier one, and the greatest is looked for.
            value = float(int(time.time() * 1000))
            self.client("cloudwatch").put_metric_data(Namespace=namespace, MetricData=[
                {"MetricName": name, "Value": value, "Timestamp": time.time() - 120}])

            def there():
                found = {}
                for request in list(self.arrived)[before:]:
                    found.update(deliveries.sets_of(request)[0])
                return any(identity[2:4] == (namespace, name) and values[1] == value
                           for identity, values in found.items())
            peers.wait_until(f"{namespace} {name} has arrived", there)
        return flow
