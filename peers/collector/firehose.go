//go:build firehose

package main

import (
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/receiver"

	metricstreams "github.com/open-telemetry/opentelemetry-collector-contrib/extension/encoding/awscloudwatchmetricstreamsencodingextension"
	"github.com/open-telemetry/opentelemetry-collector-contrib/receiver/awsfirehosereceiver"
)

func firehoseReceivers() []receiver.Factory {
	return []receiver.Factory{awsfirehosereceiver.NewFactory()}
}

func firehoseExtensions() []extension.Factory {
	return []extension.Factory{metricstreams.NewFactory()}
}
