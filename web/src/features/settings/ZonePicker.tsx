// The zone that times are shown in: the browser's, UTC, or any of the IANA's, found by typing.

import { useState } from 'react';
import { nowNs } from '../../format/now.ts';
import { dateTime, zoneLabel } from '../../format/time.ts';
import { Button } from '../../ui/Button/Button.tsx';
import { ComboBox } from '../../ui/ComboBox/ComboBox.tsx';
import { useNow } from '../../ui/hooks/useNow.ts';
import { Setting } from './Section.tsx';
import css from './Settings.module.css';
import { text } from './text.ts';
import { zonesMatching } from './zones.ts';

type ZonePickerProps = { zone: string; onChange: (zone: string) => void };

function Clock({ zone }: { zone: string }) {
  useNow(1000);
  const now = nowNs();
  return (
    <span className={css['clock']}>
      {dateTime(now, zone, 0)} {zoneLabel(now, zone)}
    </span>
  );
}

export function ZonePicker({ zone, onChange }: ZonePickerProps) {
  const [typed, setTyped] = useState<string | null>(null);
  // The short names of all zones take a while to be found out: not before they are looked at.
  const [isOpen, setOpen] = useState(false);
  const shown = zone === 'browser' ? text.zoneBrowser(Intl.DateTimeFormat().resolvedOptions().timeZone) : zone;
  const choose = (next: string) => {
    setTyped(null);
    onChange(next);
  };
  return (
    <>
      <Setting name={text.zone} detail={text.zoneNote}>
        <div className={css['zone']}>
          <Button onPress={() => choose('browser')} isDisabled={zone === 'browser'}>
            {text.useBrowser}
          </Button>
          <Button onPress={() => choose('UTC')} isDisabled={zone === 'UTC'}>
            {text.useUtc}
          </Button>
          <ComboBox
            label={text.zone}
            labelPlace="hidden"
            placeholder={text.findZone}
            items={zonesMatching(typed ?? '').map((id) => ({
              id,
              label: id === 'browser' ? text.zoneBrowser(Intl.DateTimeFormat().resolvedOptions().timeZone) : id,
              detail: id === 'browser' || !isOpen ? undefined : zoneLabel(nowNs(), id),
            }))}
            inputValue={typed ?? shown}
            onInputChange={(next) => setTyped(next === shown ? null : next)}
            onSelect={({ id }) => choose(id)}
            onOpenChange={setOpen}
            className={css['zoneBox']}
          />
        </div>
      </Setting>
      <Setting name={text.now}>
        <Clock zone={zone} />
      </Setting>
    </>
  );
}
