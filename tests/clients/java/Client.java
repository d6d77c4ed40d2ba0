// Sends one trace by each way of Jaeger's own client for Java: datagrams with Thrift's compact protocol, and HTTP.
//
//     java Client PORT URL
//
// For each it prints a line of JSON: which client, the trace's id, and its spans as the client knows them (name, id,
// parent, kind). Each trace is a server span with a client span below it, which failed.

import io.jaegertracing.internal.JaegerSpan;
import io.jaegertracing.internal.JaegerSpanContext;
import io.jaegertracing.internal.JaegerTracer;
import io.jaegertracing.internal.reporters.RemoteReporter;
import io.jaegertracing.internal.samplers.ConstSampler;
import io.jaegertracing.spi.Sender;
import io.jaegertracing.thrift.internal.senders.HttpSender;
import io.jaegertracing.thrift.internal.senders.UdpSender;
import java.util.Map;

final class Client {
  private static final String PARENT = "GET /orders";
  private static final String CHILD = "SELECT orders";

  private Client() {}

  private static void send(String service, boolean is128, Sender sender) {
    var reporter = new RemoteReporter.Builder().withSender(sender).withFlushInterval(50).build();
    var builder = new JaegerTracer.Builder(service).withReporter(reporter).withSampler(new ConstSampler(true));
    if (is128) {
      builder = builder.withTraceId128Bit();
    }
    // Closing sends what waits.
    try (JaegerTracer tracer = builder.build()) {
      JaegerSpan parent = tracer.buildSpan(PARENT).withTag("span.kind", "server").start();
      parent.setTag("http.status_code", 200).setTag("ratio", 0.5);
      JaegerSpan child = tracer.buildSpan(CHILD).asChildOf(parent).withTag("span.kind", "client").start();
      child.setTag("error", true).setTag("rows", 3);
      child.log(Map.of("event", "retry", "attempt", 2));
      child.finish();
      parent.finish();
      say(service, parent.context(), child.context());
    }
  }

  private static void say(String service, JaegerSpanContext parent, JaegerSpanContext child) {
    String trace = hex(parent.getTraceIdHigh()) + hex(parent.getTraceIdLow());
    String outer = hex(parent.getSpanId());
    System.out.printf(
        "{\"client\":\"%s\",\"traceId\":\"%s\",\"service\":\"%s\",\"spans\":["
            + "{\"name\":\"%s\",\"id\":\"%s\",\"parent\":null,\"kind\":\"server\"},"
            + "{\"name\":\"%s\",\"id\":\"%s\",\"parent\":\"%s\",\"kind\":\"client\",\"error\":true}]}%n",
        service, trace, service, PARENT, outer, CHILD, hex(child.getSpanId()), outer);
  }

  private static String hex(long id) {
    return String.format("%016x", id);
  }

  public static void main(String[] arguments) throws Exception {
    int port = Integer.parseInt(arguments[0]);
    send("java-jaeger-compact", false, new UdpSender("127.0.0.1", port, 0));
    send("java-jaeger-http", true, new HttpSender.Builder(arguments[1] + "/api/traces").build());
  }
}
