// Which services a trace went through, by their spans: a bar of pieces with the number beside it.

import { assignColours, cssColourOf } from '../../theme/palette.ts';
import { VisuallyHidden } from '../../ui/VisuallyHidden/VisuallyHidden.tsx';
import css from './Results.module.css';
import { type ResultRow, sharesOf } from './rows.ts';
import { text } from './text.ts';

const PIECES_MAX = 12;

export function ServiceShares({ trace }: { trace: ResultRow['trace'] }) {
  const shares = sharesOf(trace);
  const colours = assignColours(shares);
  const shown = shares.slice(0, PIECES_MAX);
  const rest = shares.slice(PIECES_MAX).reduce((sum, { spans }) => sum + spans, 0);
  const title = shares.map(({ service, spans }) => `${service} ${spans}`).join('\n');
  return (
    <span className={css['shares']} title={title}>
      <span aria-hidden className={css['shareCount']}>
        {shares.length}
      </span>
      <VisuallyHidden>{text.serviceCount(shares.length)}</VisuallyHidden>
      <span aria-hidden className={css['shareBar']}>
        {shown.map(({ service, spans }) => (
          <span key={service} style={{ flexGrow: spans, background: cssColourOf(colours.get(service) ?? 24) }} />
        ))}
        {rest > 0 && <span style={{ flexGrow: rest, background: cssColourOf(24) }} />}
      </span>
    </span>
  );
}
