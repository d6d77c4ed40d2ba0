// Ways to see something without a program of one's own.

import { FileUp, Send, Sparkles } from 'lucide-react';
import { useRef, useState } from 'react';
import { go } from '../../../core/navigation.ts';
import { openTraceFile } from '../../../core/openTraceFile.ts';
import { placeOfSearch, placeOfTrace } from '../../../core/places.ts';
import type { Asked } from '../../../core/ranged.ts';
import { Button } from '../../../ui/Button/Button.tsx';
import { ErrorBox } from '../../../ui/ErrorBox/ErrorBox.tsx';
import css from './FirstRun.module.css';
import { text } from './text.ts';

type TryNowProps = {
  canSend: boolean;
  busy: 'test' | 'sample' | null;
  failure: Asked<unknown>['error'];
  sendTest: () => void;
  sendSample: () => void;
};

const ACCEPTED = '.json,.jsonl,.ndjson,.gz,application/json';

/** Opens files in the browser: one trace is shown, several are listed. What could not be read is the message. */
function useFiles() {
  const [unread, setUnread] = useState<string | null>(null);
  const open = async (files: Iterable<File>) => {
    const opened = await Promise.all([...files].map(openTraceFile));
    const ids = [...new Set(opened.flatMap(({ traceIds }) => traceIds))];
    const skipped = opened.flatMap((one) => one.skipped).map(({ what, why }) => `${what}: ${why}`);
    setUnread(skipped.length === 0 ? null : skipped.join('\n'));
    const [first] = ids;
    if (ids.length === 1 && first !== undefined) go(placeOfTrace(first));
    else if (ids.length > 1) go(placeOfSearch({ traces: ids.map((traceId) => ({ traceId, spanIds: [] })) }));
  };
  return { unread, open };
}

export function TryNow({ canSend, busy, failure, sendTest, sendSample }: TryNowProps) {
  const input = useRef<HTMLInputElement>(null);
  const { unread, open } = useFiles();
  return (
    <section aria-labelledby="first-try" className={css['section']}>
      <h2 id="first-try" className={css['heading']}>
        {text.orTry}
      </h2>
      <div className={css['actions']}>
        {canSend && (
          <Button size="small" variant="primary" icon={Send} isBusy={busy === 'test'} onPress={sendTest}>
            {text.testTrace}
          </Button>
        )}
        {canSend && (
          <Button size="small" icon={Sparkles} isBusy={busy === 'sample'} onPress={sendSample}>
            {text.sample}
          </Button>
        )}
        <Button size="small" icon={FileUp} onPress={() => input.current?.click()}>
          {text.openFile}
        </Button>
        <input
          ref={input}
          hidden
          type="file"
          multiple
          accept={ACCEPTED}
          aria-label={text.openFile}
          onChange={({ target }) => void open(target.files ?? [])}
        />
      </div>
      {unread !== null && <ErrorBox title={text.fileFailed} message={unread} />}
      {failure && (
        <ErrorBox title={text.sendFailed} message={failure.message} hint={failure.hint} curl={failure.curl} />
      )}
    </section>
  );
}
