// The addresses to send to, as somebody who reads this page would write them.

import type { ReceiverAddress } from '../../../api/types.ts';

export type Endpoints = {
  /** `http://host:4318`; null: there is no such door. */
  readonly http: string | null;
  readonly grpc: string | null;
};

const WILDCARDS = ['', '0.0.0.0', '::', '[::]', '*'];
const USUAL: Endpoints = { http: 'http://localhost:4318', grpc: 'http://localhost:4317' };

/** Where all addresses are listened on, the page's own host is one of them. */
export function urlOfAddress(address: string, pageHost: string): string {
  const at = address.lastIndexOf(':');
  const host = at < 0 ? address : address.slice(0, at);
  const port = at < 0 ? '' : address.slice(at);
  const shown = WILDCARDS.includes(host) ? pageHost || 'localhost' : host;
  return `http://${shown}${port}`;
}

export function endpointsOf(receivers: readonly ReceiverAddress[], pageHost: string): Endpoints {
  if (receivers.length === 0) return USUAL;
  const of = (protocol: string) => {
    const found = receivers.find((receiver) => receiver.protocol.replace('_', '-') === protocol);
    return found === undefined ? null : urlOfAddress(found.address, pageHost);
  };
  return { http: of('otlp-http'), grpc: of('otlp-grpc') };
}

/** `host:4318`, as some SDKs want it. */
export function hostOf(url: string): string {
  return url.replace(/^https?:\/\//, '');
}
