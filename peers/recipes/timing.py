"""What a recipe took, start and imports left out."""

import json
import resource
import time


def measured(forward, url, paths):
    forward(url, read(paths[0]))
    cpu, begun = time.process_time(), time.monotonic()
    for path in paths:
        forward(url, read(path))
    peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(
        json.dumps(
            {
                "cpu": time.process_time() - cpu,
                "seconds": time.monotonic() - begun,
                "peak_mib": peak_kib / 1024,
            }
        )
    )


def read(path):
    with open(path, "rb") as file:
        return file.read()
