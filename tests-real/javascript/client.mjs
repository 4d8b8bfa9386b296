// Drives Hydrant by the AWS SDK for JavaScript: node client.mjs MODULES PHASE PLAN.json. The plan says
// which streams to make, what to put and what must be found; a wrong answer throws.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const [modules, phase, planFile] = process.argv.slice(2);
const require = createRequire(modules.replace(/\/*$/, "/"));
const cw = require("@aws-sdk/client-cloudwatch");
const fh = require("@aws-sdk/client-firehose");
const plan = JSON.parse(readFileSync(planFile, "utf8"));

function clients(key) {
  const [accessKeyId, secretAccessKey] = plan[key];
  const common = {
    endpoint: plan.endpoint,
    region: plan.region,
    credentials: { accessKeyId, secretAccessKey },
    maxAttempts: 1,
  };
  return { cloudwatch: new cw.CloudWatchClient(common), firehose: new fh.FirehoseClient(common) };
}

const { cloudwatch, firehose } = clients("key");
const seconds = (time) => time.getTime() / 1000;
const date = (time) => new Date(time * 1000);

async function make() {
  for (const { name, format, destination, arn } of plan.streams) {
    const made = await firehose.send(
      new fh.CreateDeliveryStreamCommand({
        DeliveryStreamName: name,
        HttpEndpointDestinationConfiguration: destination,
        Tags: [{ Key: "team", Value: "blau" }],
      }),
    );
    assert.equal(made.DeliveryStreamARN, arn);
    const told = await firehose.send(
      new fh.DescribeDeliveryStreamCommand({ DeliveryStreamName: name }),
    );
    assert.equal(told.DeliveryStreamDescription.DeliveryStreamStatus, "ACTIVE");
    assert.ok(told.DeliveryStreamDescription.CreateTimestamp instanceof Date);
    const asked = {
      Name: name,
      FirehoseArn: arn,
      RoleArn: plan.role,
      OutputFormat: format,
      IncludeFilters: [{ Namespace: plan.namespace }],
      StatisticsConfigurations: [
        {
          IncludeMetrics: [{ Namespace: plan.namespace, MetricName: plan.percentile_of }],
          AdditionalStatistics: ["p99"],
        },
      ],
    };
    await cloudwatch.send(new cw.PutMetricStreamCommand(asked));
    const got = await cloudwatch.send(new cw.GetMetricStreamCommand({ Name: name }));
    for (const [member, value] of Object.entries(asked)) {
      assert.deepEqual(got[member], value);
    }
    assert.equal(got.State, "running");
    assert.ok(got.CreationDate instanceof Date);
  }
  const data = plan.data.map((datum) => ({ ...datum, Timestamp: date(datum.Timestamp) }));
  await cloudwatch.send(
    new cw.PutMetricDataCommand({ Namespace: plan.namespace, MetricData: data }),
  );
}

async function look() {
  const { metric, metrics, sums } = plan.look;
  const span = { StartTime: date(plan.look.start), EndTime: date(plan.look.end) };
  const listed = [];
  const pages = cw.paginateListMetrics({ client: cloudwatch }, { Namespace: plan.namespace });
  for await (const page of pages) {
    listed.push(...page.Metrics);
  }
  assert.equal(listed.length, metrics.length);
  const told = await cloudwatch.send(
    new cw.GetMetricStatisticsCommand({
      Namespace: plan.namespace,
      MetricName: metric,
      Period: 60,
      Statistics: ["Sum"],
      ...span,
    }),
  );
  const inOrder = (rows) => rows.toSorted((a, b) => a[0] - b[0]);
  assert.deepEqual(inOrder(told.Datapoints.map((p) => [seconds(p.Timestamp), p.Sum])), sums);
  const query = {
    Id: "sums",
    MetricStat: {
      Metric: { Namespace: plan.namespace, MetricName: metric },
      Period: 60,
      Stat: "Sum",
    },
  };
  const found = [];
  const data = cw.paginateGetMetricData(
    { client: cloudwatch },
    { MetricDataQueries: [query], MaxDatapoints: 1, ...span },
  );
  for await (const page of data) {
    for (const { Timestamps, Values } of page.MetricDataResults) {
      found.push(...Timestamps.map((time, n) => [seconds(time), Values[n]]));
    }
  }
  assert.deepEqual(inOrder(found), sums);
}

async function clean() {
  for (const { name } of plan.streams) {
    await cloudwatch.send(new cw.DeleteMetricStreamCommand({ Name: name }));
    await firehose.send(new fh.DeleteDeliveryStreamCommand({ DeliveryStreamName: name }));
    await refused(
      () => firehose.send(new fh.DescribeDeliveryStreamCommand({ DeliveryStreamName: name })),
      fh.ResourceNotFoundException,
    );
  }
}

// The exception of this class, or the name of one that has none.
async function refused(call, expected, told = "") {
  const fault = await call().then(
    () => assert.fail(`taken, and ${expected.name ?? expected} was wanted`),
    (fault) => fault,
  );
  const right =
    typeof expected === "string" ? fault.name === expected : fault instanceof expected;
  assert.ok(right, `${expected.name ?? expected} was wanted, not ${fault.name}: ${fault.message}`);
  assert.ok(fault.message.includes(told), fault.message);
  assert.ok(fault.$metadata.requestId, "a request id");
}

async function refusals() {
  const [{ name, arn, destination }] = plan.streams;
  const datum = { MetricName: "m", Value: 1 };
  const put = (by, data) => () =>
    by.cloudwatch.send(new cw.PutMetricDataCommand({ Namespace: "Shop", MetricData: data }));
  const stream = (more) => () =>
    cloudwatch.send(
      new cw.PutMetricStreamCommand({
        Name: "refused",
        FirehoseArn: arn,
        RoleArn: plan.role,
        OutputFormat: "json",
        ...more,
      }),
    );
  const create = (more) => () =>
    firehose.send(
      new fh.CreateDeliveryStreamCommand({
        DeliveryStreamName: "refused",
        HttpEndpointDestinationConfiguration: destination,
        ...more,
      }),
    );
  const record = (by, data) => () =>
    by.firehose.send(
      new fh.PutRecordCommand({ DeliveryStreamName: name, Record: { Data: data } }),
    );
  const both = { IncludeFilters: [{ Namespace: "a" }], ExcludeFilters: [{ Namespace: "b" }] };
  await refused(
    () => cloudwatch.send(new cw.GetMetricStreamCommand({ Name: "none" })),
    cw.ResourceNotFoundException,
  );
  await refused(put(clients("key"), [{ ...datum, Value: NaN }]), cw.InvalidParameterValueException);
  await refused(
    put(clients("key"), Array(1001).fill(datum)),
    cw.InvalidParameterValueException,
    "1000",
  );
  await refused(stream(both), cw.InvalidParameterCombinationException, "mutually exclusive");
  await refused(stream({ RoleArn: undefined }), cw.MissingRequiredParameterException, "RoleArn");
  await refused(
    () => cloudwatch.send(new cw.ListMetricStreamsCommand({ NextToken: "x" })),
    cw.InvalidNextToken,
  );
  await refused(
    () => firehose.send(new fh.DescribeDeliveryStreamCommand({ DeliveryStreamName: "none" })),
    fh.ResourceNotFoundException,
    "Firehose none under account",
  );
  await refused(create({ DeliveryStreamName: name }), fh.ResourceInUseException);
  await refused(
    create({ DeliveryStreamType: "KinesisStreamAsSource" }),
    fh.InvalidArgumentException,
  );
  await refused(
    () =>
      firehose.send(
        new fh.UpdateDestinationCommand({
          DeliveryStreamName: name,
          CurrentDeliveryStreamVersionId: "7",
          DestinationId: "destinationId-000000000001",
          HttpEndpointDestinationUpdate: {},
        }),
      ),
    fh.ConcurrentModificationException,
  );
  const tags = (from, to) => () =>
    firehose.send(
      new fh.TagDeliveryStreamCommand({
        DeliveryStreamName: name,
        Tags: Array.from({ length: to - from }, (_, n) => ({ Key: `k${from + n}`, Value: "" })),
      }),
    );
  await tags(0, 49)();
  await refused(tags(49, 60), fh.LimitExceededException);
  await refused(record(clients("key"), new Uint8Array(1_024_001)), "ValidationException");
  const wrong = clients("wrong_secret");
  await refused(
    () => wrong.firehose.send(new fh.ListDeliveryStreamsCommand({})),
    "InvalidSignatureException",
  );
  await refused(
    () => wrong.cloudwatch.send(new cw.ListMetricsCommand({})),
    "SignatureDoesNotMatch",
  );
  await refused(record(clients("guest"), new Uint8Array(1)), "AccessDeniedException");
  await refused(put(clients("guest"), [datum]), "AccessDenied", "cloudwatch:PutMetricData");
}

await { make, refusals, look, clean }[phase]();
