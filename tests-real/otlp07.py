"""OpenTelemetry's metrics as they were in version 0.7: labels instead of attributes, and summaries as
metric streams send them. Current libraries know them no more, so the messages are described here and
Google's protobuf does the decoding.
"""
import functools

# Message: field name, number, type; a type in capitals is a message, and `*` is a list.
MESSAGES = {
    "Pair": [("key", 1, "string"), ("value", 2, "string")],
    "AnyValue": [("string_value", 1, "string")],
    "Attribute": [("key", 1, "string"), ("value", 2, "AnyValue")],
    "Resource": [("attributes", 1, "Attribute*")],
    "Quantile": [("quantile", 1, "double"), ("value", 2, "double")],
    "Point": [("labels", 1, "Pair*"), ("start_time_unix_nano", 2, "fixed64"),
              ("time_unix_nano", 3, "fixed64"), ("count", 4, "fixed64"), ("sum", 5, "double"),
              ("quantile_values", 6, "Quantile*")],
    "Summary": [("data_points", 1, "Point*")],
    "Metric": [("name", 1, "string"), ("description", 2, "string"), ("unit", 3, "string"),
               ("summary", 11, "Summary")],
    "LibraryMetrics": [("metrics", 2, "Metric*")],
    "ResourceMetrics": [("resource", 1, "Resource"),
                        ("instrumentation_library_metrics", 2, "LibraryMetrics*")],
    "Request": [("resource_metrics", 1, "ResourceMetrics*")],
}


@functools.cache
def request_class():
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
    file = descriptor_pb2.FileDescriptorProto(name="otlp07.proto", package="otlp07",
                                              syntax="proto3")
    kinds = descriptor_pb2.FieldDescriptorProto
    for name, fields in MESSAGES.items():
        message = file.message_type.add(name=name)
        for field_name, number, kind in fields:
            field = message.field.add(name=field_name, number=number)
            field.label = kinds.LABEL_REPEATED if kind.endswith("*") else kinds.LABEL_OPTIONAL
            kind = kind.rstrip("*")
            if kind in MESSAGES:
                field.type, field.type_name = kinds.TYPE_MESSAGE, f".otlp07.{kind}"
            else:
                field.type = getattr(kinds, f"TYPE_{kind.upper()}")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("otlp07.Request"))


def sets_of(message):
    """(identity, values) of the points of one message, as `deliveries.sets_of` gives them."""
    request = request_class()()
    request.ParseFromString(message)
    found = {}
    for resource in request.resource_metrics:
        owner = {a.key: a.value.string_value for a in resource.resource.attributes}
        libraries = resource.instrumentation_library_metrics
        for metric in (m for library in libraries for m in library.metrics):
            for point in metric.summary.data_points:
                # A dimension may be called as the two labels that come first.
                own, dimensions = {}, []
                for label in point.labels:
                    if label.key in ("Namespace", "MetricName") and label.key not in own:
                        own[label.key] = label.value
                    else:
                        dimensions.append((label.key, label.value))
                at = {q.quantile: q.value for q in point.quantile_values}
                identity = (owner["cloud.account.id"], owner["cloud.region"],
                            own["Namespace"], own["MetricName"], tuple(sorted(dimensions)),
                            point.start_time_unix_nano)
                found[identity] = (at.get(0.0), at.get(1.0), point.sum, point.count, at.get(0.99))
    return found
