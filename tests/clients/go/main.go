// Sends one trace by each way of Jaeger's own client for Go: datagrams with Thrift's compact protocol, and HTTP.
//
//	jaeger-go --compact PORT --http URL
//
// For each it prints a line of JSON: which client, the trace's id, and its spans as the client knows them (name, id,
// parent, kind). Each trace is a server span with a client span below it, which failed.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"
	"github.com/uber/jaeger-client-go/config"
)

const (
	parentName = "GET /orders"
	childName  = "SELECT orders"
)

type known struct {
	Name   string  `json:"name"`
	ID     string  `json:"id"`
	Parent *string `json:"parent"`
	Kind   string  `json:"kind"`
	Error  bool    `json:"error"`
}

type line struct {
	Client  string  `json:"client"`
	TraceID string  `json:"traceId"`
	Service string  `json:"service"`
	Spans   []known `json:"spans"`
}

func send(service string, is128 bool, reporter config.ReporterConfig) error {
	reporter.BufferFlushInterval = 50 * time.Millisecond
	settings := config.Configuration{
		ServiceName: service,
		Gen128Bit:   is128,
		Sampler:     &config.SamplerConfig{Type: "const", Param: 1},
		Reporter:    &reporter,
	}
	tracer, closer, err := settings.NewTracer()
	if err != nil {
		return err
	}
	parent := tracer.StartSpan(parentName)
	parent.SetTag("span.kind", "server").SetTag("http.status_code", 200).SetTag("ratio", 0.5)
	child := tracer.StartSpan(childName, opentracing.ChildOf(parent.Context()))
	child.SetTag("span.kind", "client").SetTag("error", true).SetTag("rows", 3)
	child.LogKV("event", "retry", "attempt", 2)
	child.Finish()
	parent.Finish()
	outer, inner := parent.Context().(jaeger.SpanContext), child.Context().(jaeger.SpanContext)
	id := func(of jaeger.SpanContext) string { return fmt.Sprintf("%016x", uint64(of.SpanID())) }
	parentID := id(outer)
	told := line{service, fmt.Sprintf("%016x%016x", outer.TraceID().High, outer.TraceID().Low), service, []known{
		{Name: parentName, ID: parentID, Kind: "server"},
		{Name: childName, ID: id(inner), Parent: &parentID, Kind: "client", Error: true},
	}}
	if err := json.NewEncoder(os.Stdout).Encode(told); err != nil {
		return err
	}
	// Sends what waits.
	return closer.Close()
}

func run() error {
	compact := flag.String("compact", "", "port of Jaeger's compact datagrams")
	http := flag.String("http", "", "where the collector takes Thrift over HTTP")
	flag.Parse()
	datagrams := config.ReporterConfig{LocalAgentHostPort: "127.0.0.1:" + *compact}
	if err := send("go-jaeger-compact", false, datagrams); err != nil {
		return err
	}
	return send("go-jaeger-http", true, config.ReporterConfig{CollectorEndpoint: *http + "/api/traces"})
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
