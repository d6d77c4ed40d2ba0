// The sections of Settings. Each choice holds at once.

import { boot } from '../../core/boot.ts';
import { prefer, usePreferences } from '../../core/preferences.ts';
import { PageTitle } from '../../ui/PageTitle/PageTitle.tsx';
import { SegmentedControl } from '../../ui/SegmentedControl/SegmentedControl.tsx';
import { Switch } from '../../ui/Switch/Switch.tsx';
import { About } from './About.tsx';
import { Compatibility } from './Compatibility.tsx';
import { KeyTable } from './KeyTable.tsx';
import { Section, Setting } from './Section.tsx';
import css from './Settings.module.css';
import { text } from './text.ts';
import { ZonePicker } from './ZonePicker.tsx';

function Look() {
  const { theme, density, panel } = usePreferences();
  return (
    <Section id="look" title={text.look}>
      {!boot.isThemeFixed && (
        <Setting name={text.theme}>
          <SegmentedControl
            label={text.theme}
            items={[
              { id: 'system', label: text.themeSystem },
              { id: 'light', label: text.themeLight },
              { id: 'dark', label: text.themeDark },
            ]}
            value={theme}
            onChange={(next) => prefer({ theme: next })}
          />
        </Setting>
      )}
      <Setting name={text.density} detail={density === 'dense' ? text.denseNote : undefined}>
        <SegmentedControl
          label={text.density}
          items={[
            { id: 'relaxed', label: text.relaxed },
            { id: 'default', label: text.usual },
            { id: 'dense', label: text.dense },
          ]}
          value={density}
          onChange={(next) => prefer({ density: next })}
        />
      </Setting>
      <Setting name={text.panel} detail={text.panelNote}>
        <SegmentedControl
          label={text.panel}
          items={[
            { id: 'right', label: text.panelRight },
            { id: 'bottom', label: text.panelBottom },
            { id: 'inline', label: text.panelInline },
          ]}
          value={panel}
          onChange={(next) => prefer({ panel: next })}
        />
      </Setting>
    </Section>
  );
}

function Keys() {
  const { singleKeys, keyPreset } = usePreferences();
  return (
    <Section id="keys" title={text.keys}>
      <Setting name={text.letters} detail={text.lettersNote}>
        <Switch
          label={singleKeys ? text.on : text.off}
          isSelected={singleKeys}
          onChange={(next) => prefer({ singleKeys: next })}
        />
      </Setting>
      <Setting name={text.preset} detail={keyPreset === 'jaeger' ? text.presetJaegerNote : text.presetNote}>
        <SegmentedControl
          label={text.preset}
          items={[
            { id: 'trackway', label: text.presetTrackway },
            { id: 'jaeger', label: text.presetJaeger },
          ]}
          value={keyPreset}
          onChange={(next) => prefer({ keyPreset: next })}
        />
      </Setting>
      <KeyTable />
    </Section>
  );
}

export function SettingsPage() {
  const { zone } = usePreferences();
  return (
    <div className={css['page']}>
      <header>
        <PageTitle title={text.title} routeKey="settings" />
        <p className={css['quiet']}>{text.kept}</p>
      </header>
      <Look />
      <Section id="time" title={text.time}>
        <ZonePicker zone={zone} onChange={(next) => prefer({ zone: next })} />
      </Section>
      <Keys />
      <Compatibility />
      <About />
    </div>
  );
}
