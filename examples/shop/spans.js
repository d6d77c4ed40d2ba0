// Spans made by hand, for the steps of the work itself, and attributes on the span of the request.

import { SpanStatusCode, trace } from '@opentelemetry/api';
import { ATTR_ERROR_TYPE } from '@opentelemetry/semantic-conventions';

// Where this folder is differs from machine to machine, and says nothing.
const HOME = new URL('.', import.meta.url).href;
const tracer = trace.getTracer('trackway-example-shop');

/** Does a piece of work in a span of its own, and returns what that returns. When it throws, the span has failed. */
export function inSpan(name, work) {
  return tracer.startActiveSpan(name, async (span) => {
    try {
      return await work(span);
    } catch (error) {
      const { message, stack } = error;
      span.recordException({ name: error.name, message, stack: stack.replaceAll(HOME, '') });
      span.setStatus({ code: SpanStatusCode.ERROR, message });
      span.setAttribute(ATTR_ERROR_TYPE, error.name);
      throw error;
    } finally {
      span.end();
    }
  });
}

/** Says something of the request as a whole: its span is made by the instrumentation, and found by these. */
export function tell(attributes) {
  trace.getActiveSpan()?.setAttributes(attributes);
}
