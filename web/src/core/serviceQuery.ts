// Query texts for a service or one of its operations: what links from tables and charts search for.

import type { SpanKind } from '../api/types.ts';
import { attributeField, printComparison, printQuery } from '../url/queryText.ts';

export type ServiceAsked = {
  readonly service: string;
  readonly operation?: string | undefined;
  readonly kind?: SpanKind | null | undefined;
  readonly isFailing?: boolean | undefined;
};

/** `{ resource.service.name = "checkout" && name = "POST /pay" && status = error }` */
export function serviceQuery({ service, operation, kind, isFailing = false }: ServiceAsked): string {
  const conjuncts = [
    printComparison({
      field: attributeField('service.name', 'resource'),
      op: '=',
      value: { kind: 'text', text: service },
    }),
  ];
  if (operation !== undefined)
    conjuncts.push(printComparison({ field: 'name', op: '=', value: { kind: 'text', text: operation } }));
  if (kind) conjuncts.push(printComparison({ field: 'kind', op: '=', value: { kind: 'word', word: kind } }));
  if (isFailing) conjuncts.push(printComparison({ field: 'status', op: '=', value: { kind: 'word', word: 'error' } }));
  return printQuery(conjuncts);
}
