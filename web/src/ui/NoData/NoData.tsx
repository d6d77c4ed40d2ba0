// No data at all, with the way to the first trace; and the words for when something came last.

import { Inbox } from 'lucide-react';
import { relativeTime } from '../../format/time.ts';
import { EmptyState } from '../EmptyState/EmptyState.tsx';
import { LinkButton } from '../LinkButton/LinkButton.tsx';
import { text } from './text.ts';

export function NoData({ homeHref }: { homeHref: string }) {
  return (
    <EmptyState icon={Inbox} title={text.title} actions={<LinkButton href={homeHref}>{text.toHome}</LinkButton>}>
      {text.hint}
    </EmptyState>
  );
}

export function lastSeenText(lastNs: bigint, nowNs: bigint, service?: string): string {
  const ago = relativeTime(lastNs, nowNs);
  return service === undefined ? text.lastSeen(ago) : text.lastOf(service, ago);
}
