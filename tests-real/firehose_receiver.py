"""A receiver of Firehose's protocol that is not ours: it checks every header and member."""
import base64
import hashlib
import json
import threading
import time
import uuid

import deliveries


class Receiver:
    """A receiver that checks what Firehose sends; it can refuse, and lose its answers."""

    def __init__(self, running, arn, attributes=None):
        self.arn, self.attributes = arn, attributes or {}
        self.seen, self.faults, self.lock = {}, [], threading.Lock()
        self.lose, self.repeats = 0, 0
        self.url = running.serve(self.answer) + "/ingest?x=1"

    def fault(self, wrong):
        if wrong:
            self.faults.append(wrong)

    def answer(self, path, headers, body):
        with self.lock:
            request_id = headers["X-Amz-Firehose-Request-Id"]
            whole = json.loads(body)
            self.fault(path != "/ingest?x=1" and f"path {path}")
            expected = {
                "X-Amz-Firehose-Protocol-Version": "1.0", "X-Amz-Firehose-Source-Arn": self.arn,
                "X-Amz-Firehose-Access-Key": deliveries.KEY, "Content-Type": "application/json"}
            for name, value in expected.items():
                self.fault(headers[name] != value and f"{name}: {headers[name]}")
            attributes = json.loads(headers["X-Amz-Firehose-Common-Attributes"])
            self.fault(attributes != {"commonAttributes": self.attributes} and f"{attributes}")
            self.fault(list(whole) != ["requestId", "timestamp", "records"] and f"{list(whole)}")
            self.fault(whole["requestId"] != request_id and "requestId differs")
            self.fault(str(uuid.UUID(request_id)) != request_id and f"no UUID: {request_id}")
            age = time.time() - whole["timestamp"] / 1000
            self.fault(not -5 < age < 60 and f"timestamp is {age} s old")
            self.fault(not 0 < len(whole["records"]) <= 10000 and "number of records")
            data = [base64.b64decode(r["data"], validate=True) for r in whole["records"]]
            self.fault(any(len(d) > 1_024_000 for d in data) and "a record is too large")
            digest = hashlib.sha256(b"\0".join(data)).hexdigest()
            known = self.seen.setdefault(request_id, (digest, data))
            self.fault(known[0] != digest and "one id for different data")
            self.repeats += known[1] is not data
            if self.lose:
                self.lose -= 1
                return 500, "text/plain", b"lost on the way"
            text = {"requestId": request_id, "timestamp": int(time.time() * 1000)}
            return 200, "application/json", json.dumps(text).encode()

    def records(self):
        with self.lock:
            return [record for _, data in self.seen.values() for record in data]
