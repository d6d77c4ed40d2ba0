// What may stand in a filter: fields that spans have, values of a field, both with how often they were seen.

import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { completionQuestion, type Window } from '../../api/questions.ts';
import type { CompletionItem } from '../../api/types.ts';
import { SERVICE, typeOf } from '../../query/fields.ts';
import { quoteText } from '../../url/queryText.ts';

/** Those that almost every question begins with. */
export const USUAL_FIELDS = [SERVICE, 'name', 'status', 'duration', 'kind'];

export type Suggestions = { readonly items: readonly CompletionItem[]; readonly isLoading: boolean };

const isField = ({ kind }: CompletionItem) => kind === 'field' || kind === 'attribute';

/** Fields whose name holds what was typed; the usual ones first. */
export function useFields(typed: string, window: Window): Suggestions {
  // All of them once, and more that begin with what was typed: there may be too many to send.
  const all = useQuery({ ...completionQuestion('{ ', 2, window), staleTime: 60_000 });
  const begun = `{ ${typed.trim()}`;
  const more = useQuery({
    ...completionQuestion(begun, begun.length, window),
    enabled: typed.trim() !== '',
    placeholderData: keepPreviousData,
  });
  const known = new Map<string, CompletionItem>();
  for (const field of USUAL_FIELDS) known.set(field, { text: field, kind: 'field', detail: '', count: null });
  for (const item of [...(more.data?.items ?? []), ...(all.data?.items ?? [])])
    if (isField(item) && !item.text.endsWith('.') && !known.has(item.text)) known.set(item.text, item);
  const wanted = typed.trim().toLowerCase();
  const items = [...known.values()].filter(({ text }) => text.toLowerCase().includes(wanted));
  return { items, isLoading: all.isPending };
}

/** Values of a field that begin with what was typed. */
export function useValues(field: string, op: string, typed: string, window: Window): Suggestions {
  const type = typeOf(field);
  const isText = type === 'text' || (type === 'any' && typed !== '');
  const begin = isText && typed !== '' && !typed.startsWith('"') ? quoteText(typed).slice(0, -1) : typed;
  const query = `{ ${field} ${op} ${begin}`;
  const { data, isPending } = useQuery({
    ...completionQuestion(query, query.length, window),
    enabled: field !== '',
    placeholderData: keepPreviousData,
  });
  const items = field === '' ? [] : (data?.items ?? []).filter(({ kind }) => kind === 'value');
  return { items, isLoading: field !== '' && isPending };
}
