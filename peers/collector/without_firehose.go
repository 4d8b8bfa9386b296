//go:build !firehose

package main

import (
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/receiver"
)

func firehoseReceivers() []receiver.Factory { return nil }

func firehoseExtensions() []extension.Factory { return nil }
