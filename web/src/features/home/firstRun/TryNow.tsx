// Ways to see something without a program of one's own.

import { FileUp, Send, Sparkles } from 'lucide-react';
import { boot } from '../../../core/boot.ts';
import type { Asked } from '../../../core/ranged.ts';
import { useOpenFiles } from '../../../core/useOpenFiles.ts';
import { Button } from '../../../ui/Button/Button.tsx';
import { ErrorBox } from '../../../ui/ErrorBox/ErrorBox.tsx';
import { ReadingFile } from '../../../ui/ReadingFile/ReadingFile.tsx';
import css from './FirstRun.module.css';
import { text } from './text.ts';

type TryNowProps = {
  canSend: boolean;
  busy: 'test' | 'sample' | null;
  failure: Asked<unknown>['error'];
  sendTest: () => void;
  sendSample: () => void;
};

export function TryNow({ canSend, busy, failure, sendTest, sendSample }: TryNowProps) {
  const files = useOpenFiles();
  const unread = files.skipped.map(({ what, why }) => `${what}: ${why}`).join('\n');
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
        {!boot.isFileUploadOff && (
          <Button size="small" icon={FileUp} onPress={files.choose}>
            {text.openFile}
          </Button>
        )}
      </div>
      {files.reading && <ReadingFile {...files.reading} onCancel={files.cancel} />}
      {unread !== '' && <ErrorBox title={text.fileFailed} message={unread} />}
      {failure && (
        <ErrorBox title={text.sendFailed} message={failure.message} hint={failure.hint} curl={failure.curl} />
      )}
    </section>
  );
}
