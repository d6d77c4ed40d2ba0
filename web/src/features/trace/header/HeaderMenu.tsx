// What can be done with a whole trace: put aside to compare, archive, download, copy.

import {
  Archive,
  Check,
  ClipboardList,
  Download,
  Ellipsis,
  ExternalLink,
  GitCompareArrows,
  Image,
  Terminal,
} from 'lucide-react';
import { useState } from 'react';
import { curlOf } from '../../../api/client.ts';
import { archiveTrace } from '../../../api/questions.ts';
import { boot, configured } from '../../../core/boot.ts';
import { commandsOf, useCommands } from '../../../core/commands.ts';
import { routeNow, shareUrl } from '../../../core/navigation.ts';
import { toggleInBasket, usePreferences } from '../../../core/preferences.ts';
import { formatDuration } from '../../../format/duration.ts';
import { dateTime, zoneLabel } from '../../../format/time.ts';
import { Button } from '../../../ui/Button/Button.tsx';
import { copyText } from '../../../ui/CopyButton/copyText.ts';
import { IconButton } from '../../../ui/IconButton/IconButton.tsx';
import { announce } from '../../../ui/LiveRegion/LiveRegion.tsx';
import { Menu, MenuItem, MenuSeparator, MenuTrigger } from '../../../ui/Menu/Menu.tsx';
import { TRACE_COMMANDS } from '../commands.ts';
import { linksOf, traceFacts } from '../details/linkTemplates.ts';
import { useTracePage } from '../state/page.tsx';
import { text as pageText } from '../text.ts';
import { NARROW, useMedia } from '../useMedia.ts';
import { jaegerUrl, OTLP_SPANS_MAX, saveFlame, saveJaeger, saveOtlp } from './download.ts';
import css from './Header.module.css';
import { text } from './menuText.ts';
import { summaryOf } from './summary.ts';
import { text as factText } from './text.ts';

type ArchiveState = { kind: 'idle' | 'busy' | 'done' } | { kind: 'failed'; why: string };

export function HeaderMenu() {
  const page = useTracePage();
  const { traceId } = page.session.columns;
  const { basket, zone } = usePreferences();
  const isFile = page.fileName !== null;
  const isNarrow = useMedia(NARROW);
  const isInBasket = basket.includes(traceId);
  const [archive, setArchive] = useState<ArchiveState>({ kind: 'idle' });
  const isTooLarge = page.session.columns.count > OTLP_SPANS_MAX;
  const [failed, setFailed] = useState<string | null>(null);
  const canArchive = boot.capabilities.archive && !isFile;

  async function runArchive(): Promise<void> {
    setArchive({ kind: 'busy' });
    try {
      await archiveTrace(traceId);
      setArchive({ kind: 'done' });
      announce(text.archived);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      setArchive({ kind: 'failed', why });
      announce(`${text.archiveFailed}: ${why}`, { isUrgent: true });
    }
  }
  async function runSave(saving: () => Promise<void>): Promise<void> {
    announce(text.preparing);
    try {
      await saving();
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      announce(`${text.downloadFailed}: ${why}`, { isUrgent: true });
      setFailed(why);
    }
  }
  function flame(): Promise<void> {
    const { columns, facts } = page.session;
    const at = `${dateTime(columns.startNs, zone)} ${zoneLabel(columns.startNs, zone)}`;
    const words = [formatDuration(columns.durationNs), factText.spans(facts.spans), at, traceId];
    return saveFlame(page, pageText.title(facts.rootService, facts.rootName), words.join(' · '));
  }
  async function copy(value: string): Promise<void> {
    if (await copyText(value)) announce(text.copied);
  }
  useCommands([
    ...commandsOf(TRACE_COMMANDS, canArchive ? { 'trace.archive': () => void runArchive() } : {}),
    ...commandsOf(TRACE_COMMANDS, { 'trace.compare': () => toggleInBasket(traceId) }).map((command) => ({
      ...command,
      title: isInBasket ? text.uncompare : text.compare,
    })),
  ]);
  const links = linksOf(configured.links, 'traces', null, [], null, traceFacts(page.session));
  const archiveLabel =
    archive.kind === 'done' ? text.archived : archive.kind === 'failed' ? text.archiveFailed : text.archive;
  return (
    <>
      {failed !== null && (
        <span role="status" className={css['failed']}>
          {`${text.downloadFailed}: ${failed}`}
        </span>
      )}
      {archive.kind === 'failed' && (
        <span role="status" className={css['failed']}>
          {archive.why}
        </span>
      )}
      {canArchive && (
        <Button
          size="small"
          variant="quiet"
          icon={archive.kind === 'done' ? Check : Archive}
          isBusy={archive.kind === 'busy'}
          onPress={() => void runArchive()}
        >
          {archiveLabel}
        </Button>
      )}
      {!isFile && !isNarrow && (
        <Button size="small" variant="quiet" icon={GitCompareArrows} onPress={() => toggleInBasket(traceId)}>
          {isInBasket ? text.uncompare : text.compare}
        </Button>
      )}
      <MenuTrigger>
        <IconButton icon={Ellipsis} label={text.more} />
        <Menu label={text.more} placement="bottom end">
          {!isFile && isNarrow && (
            <MenuItem
              id="compare"
              icon={GitCompareArrows}
              label={isInBasket ? text.uncompare : text.compare}
              onAction={() => toggleInBasket(traceId)}
            />
          )}
          <MenuItem
            id="summary"
            icon={ClipboardList}
            label={text.copySummary}
            onAction={() => void copy(summaryOf(page.session, zone, shareUrl(routeNow())))}
          />
          {!isFile && !boot.isJsonViewOff && (
            <MenuItem
              id="curl"
              icon={Terminal}
              label={text.copySkeleton}
              onAction={() => void copy(curlOf(jaegerUrl(traceId)))}
            />
          )}
          <MenuSeparator />
          <MenuItem
            id="otlp"
            icon={Download}
            label={text.downloadOtlp}
            detail={isTooLarge ? text.tooLarge : undefined}
            isDisabled={isTooLarge}
            onAction={() => void runSave(() => saveOtlp(page.session))}
          />
          {!isFile && !boot.isJsonViewOff && (
            <MenuItem id="jaeger" icon={Download} label={text.downloadJaeger} onAction={() => saveJaeger(traceId)} />
          )}
          {page.state.view === 'flame' && page.session.flame !== null && (
            <MenuItem id="png" icon={Image} label={text.downloadFlame} onAction={() => void runSave(flame)} />
          )}
          {links.length > 0 && <MenuSeparator />}
          {links.map(({ url, text: label }) => (
            <MenuItem
              key={url}
              id={url}
              icon={ExternalLink}
              label={label}
              onAction={() => open(url, '_blank', 'noopener')}
            />
          ))}
        </Menu>
      </MenuTrigger>
    </>
  );
}
