// A trace in a few lines of Markdown, for the note of an incident.

import { formatDuration } from '../../../format/duration.ts';
import { formatPercent } from '../../../format/number.ts';
import { dateTime, type Zone, zoneLabel } from '../../../format/time.ts';
import type { TraceSession } from '../state/session.ts';
import { text } from './menuText.ts';
import { text as factText } from './text.ts';

const ERRORS_MAX = 5;
const SERVICES_MAX = 5;

export function summaryOf(session: TraceSession, zone: Zone, url: string): string {
  const { columns, facts, errors } = session;
  const facts1 = [
    factText.spans(facts.spans),
    factText.services(facts.services.length),
    facts.errors > 0 ? factText.errors(facts.errors) : factText.noErrors,
  ].join(', ');
  const lines = [
    `**${facts.rootService} ${facts.rootName}** ${formatDuration(columns.durationNs)}`,
    '',
    `- ${facts1}`,
    `- ${text.started} ${dateTime(columns.startNs, zone)} ${zoneLabel(columns.startNs, zone)}`,
    `- ${text.slowest}: ${facts.services
      .slice(0, SERVICES_MAX)
      .map(({ name, share }) => text.share(name, formatPercent(share)))
      .join(', ')}`,
  ];
  if (errors.count > 0) {
    lines.push(`- ${text.errorsHead}:`);
    let row = errors.bits.next(0);
    for (let n = 0; row >= 0 && n < ERRORS_MAX; n++, row = errors.bits.next(row + 1)) {
      const service = columns.services[columns.service[row] as number] ?? '';
      const name = columns.names[columns.name[row] as number] ?? '';
      lines.push(`  - ${service} ${name} (${formatDuration(columns.dur[row] as number)})`);
    }
    if (errors.count > ERRORS_MAX) lines.push(`  - ${text.moreErrors(errors.count - ERRORS_MAX)}`);
  }
  lines.push('', `${text.ofTrace}: [${columns.traceId}](${url})`);
  return lines.join('\n');
}
