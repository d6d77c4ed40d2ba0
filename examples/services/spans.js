// Spans made by hand, for what no instrumentation can know: the steps of the work itself.

import { SpanStatusCode, trace } from '@opentelemetry/api';
import { ATTR_ERROR_TYPE } from '@opentelemetry/semantic-conventions';

const tracer = trace.getTracer('trackway-example-services');

/**
 * Does a piece of work in a span of its own, and returns what that returns. Spans that are made meanwhile become its
 * children. When the work throws, the span says so, and the error goes on to the caller.
 */
export function inSpan(name, work) {
  return tracer.startActiveSpan(name, async (span) => {
    try {
      return await work(span);
    } catch (error) {
      // Three things that look alike: the event keeps the stack, the status makes the span count as failed, and by the
      // attribute failures are told apart in a search.
      span.recordException(error);
      span.setStatus({ code: SpanStatusCode.ERROR, message: error.message });
      span.setAttribute(ATTR_ERROR_TYPE, error.code ?? error.name);
      throw error;
    } finally {
      // A span that is not ended is never sent.
      span.end();
    }
  });
}
