// What is selected, and what can be done with it as a whole.

import { Copy, Focus, PanelBottom, PanelRight, Rows3, X, ZoomIn } from 'lucide-react';
import { curlOf, urlOf } from '../../../api/client.ts';
import type { SpanDetails } from '../../../api/types.ts';
import { fitTo } from '../../../canvas/viewport.ts';
import { routeNow, shareUrl } from '../../../core/navigation.ts';
import { prefer } from '../../../core/preferences.ts';
import type { RowIndex } from '../../../model/columns.ts';
import { hasChildren, spanIdOf } from '../../../model/tree.ts';
import { cssColourOf, isHatched } from '../../../theme/palette.ts';
import { CopyButton } from '../../../ui/CopyButton/CopyButton.tsx';
import { copyText } from '../../../ui/CopyButton/copyText.ts';
import { IconButton } from '../../../ui/IconButton/IconButton.tsx';
import { announce } from '../../../ui/LiveRegion/LiveRegion.tsx';
import { Menu, MenuItem, MenuSection, MenuTrigger } from '../../../ui/Menu/Menu.tsx';
import { ServiceDot } from '../../../ui/ServiceName/ServiceName.tsx';
import { update, useTracePage } from '../state/page.tsx';
import { nameOf, serviceOf } from '../waterfall/rowText.ts';
import css from './Details.module.css';
import { text } from './text.ts';
import { usePlace } from './usePlace.ts';
import { objectOf } from './values.ts';

const PLACE_ICONS = { right: PanelRight, bottom: PanelBottom, inline: Rows3 };

export function DetailsHead({ row, details }: { row: RowIndex; details: SpanDetails | null }) {
  const { session, window, fileName } = useTracePage();
  const { columns } = session;
  const place = usePlace();
  const spanId = spanIdOf(columns, row);
  const slot = session.slots[columns.service[row] as number] ?? -1;

  async function copy(value: string): Promise<void> {
    if (await copyText(value)) announce(text.copied);
  }
  const curl = `${curlOf(urlOf(`traces/${columns.traceId}/spans`))} -H 'content-type: application/json' -d '${JSON.stringify({ spans: [spanId] })}'`;
  return (
    <header className={css['head']}>
      <div className={css['headLine']}>
        <ServiceDot color={cssColourOf(slot)} isHatched={isHatched(slot)} />
        <span className={css['service']}>{serviceOf(session, row)}</span>
        <span className={css['push']} />
        <IconButton
          icon={ZoomIn}
          size="small"
          label={text.zoom}
          keys="z"
          onPress={() => {
            const from = columns.start[row] as number;
            window.set(fitTo(window.view(1_000), window, from, from + (columns.dur[row] as number)));
          }}
        />
        {hasChildren(columns, row) && (
          <IconButton
            icon={Focus}
            size="small"
            label={text.onlyBelow}
            keys="."
            onPress={() => update({ focus: spanId }, 'push')}
          />
        )}
        <MenuTrigger>
          <IconButton icon={Copy} size="small" label={text.copy} />
          <Menu label={text.copy} placement="bottom end">
            <MenuItem id="id" label={text.copyId} keys="y" onAction={() => void copy(spanId)} />
            <MenuItem id="link" label={text.copyLink} onAction={() => void copy(shareUrl(routeNow()))} />
            <MenuItem
              id="span"
              label={text.copySpan}
              isDisabled={details === null}
              onAction={() => void copy(JSON.stringify(details, null, 2))}
            />
            <MenuItem
              id="attributes"
              label={text.copyAttributes}
              isDisabled={details === null}
              onAction={() => void copy(JSON.stringify(objectOf(details?.attributes ?? []), null, 2))}
            />
            {fileName === null && <MenuItem id="curl" label={text.copyCurl} onAction={() => void copy(curl)} />}
          </Menu>
        </MenuTrigger>
        <MenuTrigger>
          <IconButton icon={PLACE_ICONS[place]} size="small" label={text.place} keys="|" />
          <Menu label={text.place} placement="bottom end">
            <MenuSection
              title={text.place}
              choice={{
                mode: 'single',
                selected: [place],
                onChange: ([next]) => {
                  if (next === 'right' || next === 'bottom' || next === 'inline') prefer({ panel: next });
                },
              }}
            >
              <MenuItem id="right" icon={PanelRight} label={text.right} />
              <MenuItem id="bottom" icon={PanelBottom} label={text.bottom} />
              <MenuItem id="inline" icon={Rows3} label={text.inline} />
            </MenuSection>
          </Menu>
        </MenuTrigger>
        <IconButton icon={X} size="small" label={text.close} keys="\" onPress={() => prefer({ panelOpen: false })} />
      </div>
      <h2 className={css['title']}>{nameOf(session, row)}</h2>
      <div className={css['headLine']}>
        <span className={css['spanId']}>{spanId}</span>
        <CopyButton value={spanId} label={text.copyId} keys="y" />
      </div>
    </header>
  );
}
