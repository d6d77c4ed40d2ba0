// Fields: toggles, segments, search, numbers, suggestions, time.

import { LayoutList, Moon, Radio, Sun, WrapText } from 'lucide-react';
import { useState } from 'react';
import { Button } from '../../ui/Button/Button.tsx';
import { Checkbox } from '../../ui/Checkbox/Checkbox.tsx';
import { ComboBox } from '../../ui/ComboBox/ComboBox.tsx';
import { Dialog, DialogTrigger } from '../../ui/Dialog/Dialog.tsx';
import { NumberField } from '../../ui/NumberField/NumberField.tsx';
import { Popover, PopoverTrigger } from '../../ui/Popover/Popover.tsx';
import { SearchField } from '../../ui/SearchField/SearchField.tsx';
import { SegmentedControl } from '../../ui/SegmentedControl/SegmentedControl.tsx';
import { ServiceDot } from '../../ui/ServiceName/ServiceName.tsx';
import { Switch } from '../../ui/Switch/Switch.tsx';
import { type TimeRange, TimeRangePicker } from '../../ui/TimeRangePicker/TimeRangePicker.tsx';
import { ToggleButton } from '../../ui/ToggleButton/ToggleButton.tsx';
import { Line, Section } from './Section.tsx';
import { services } from './sample.ts';

const scopes = [
  { id: 'traces', label: 'Traces' },
  { id: 'entry', label: 'Entry spans' },
  { id: 'spans', label: 'All spans' },
] as const;
const themes = [
  { id: 'light', label: 'Light', icon: Sun },
  { id: 'dark', label: 'Dark', icon: Moon },
] as const;

export function Fields() {
  const [isOn, setOn] = useState(true);
  const [scope, setScope] = useState<'traces' | 'entry' | 'spans'>('traces');
  const [theme, setTheme] = useState<'light' | 'dark'>('dark');
  const [find, setFind] = useState('db.system=pg');
  const [service, setService] = useState('');
  const [min, setMin] = useState(500);
  const [range, setRange] = useState<TimeRange>({ range: '1h' });
  const [fixed, setFixed] = useState<TimeRange>({ fromNs: '1763899200000000000', toNs: '1763902800000000000' });
  const found = services.filter(({ name }) => name.includes(service));
  return (
    <Section title="Fields">
      <Line label="ToggleButton">
        <ToggleButton icon={Radio} label="Live" keys="l" isSelected={isOn} onChange={setOn} />
        <ToggleButton label="Fold" isSelected={!isOn} onChange={(next) => setOn(!next)} />
        <ToggleButton isIconOnly icon={WrapText} label="Wrap lines" isSelected={isOn} onChange={setOn} />
        <ToggleButton isIconOnly size="small" icon={WrapText} label="Wrap" isSelected={false} onChange={setOn} />
      </Line>
      <Line label="SegmentedControl">
        <SegmentedControl label="Show" isLabelShown items={scopes} value={scope} onChange={setScope} />
        <SegmentedControl label="Theme" isIconOnly items={themes} value={theme} onChange={setTheme} />
      </Line>
      <Line label="Checkbox, Switch">
        <Checkbox label="Only matches" isSelected={isOn} onChange={setOn} />
        <Checkbox label="Off" isSelected={!isOn} onChange={(next) => setOn(!next)} />
        <Checkbox label="Some" isSelected={false} isMixed onChange={setOn} />
        <Checkbox label="Disabled" isSelected isDisabled onChange={setOn} />
        <Checkbox label="Unlabelled" isLabelHidden isSelected={isOn} onChange={setOn} />
        <Switch label="Single-letter keys" isSelected={isOn} onChange={setOn} />
        <Switch label="Off" isSelected={!isOn} onChange={(next) => setOn(!next)} />
      </Line>
      <Line label="SearchField">
        <SearchField label="Find" isMono value={find} onChange={setFind} end="3/17" />
        <SearchField label="Find a service" value="" onChange={setFind} />
        <SearchField label="Bad" value="(" isInvalid onChange={setFind} />
      </Line>
      <Line label="NumberField">
        <NumberField label="Hide shorter than" value={min} onChange={setMin} min={0} step={100} unit="ms" />
        <NumberField label="Hops" value={2} onChange={setMin} width={2} isDisabled />
      </Line>
      <Line label="ComboBox">
        <ComboBox
          label="Service"
          placeholder="Any"
          inputValue={service}
          onInputChange={setService}
          onSelect={({ label }) => setService(label)}
          onCustom={setService}
          items={found.map(({ name, color, spans }) => ({
            id: name,
            label: name,
            detail: 'service',
            count: spans,
            lead: <ServiceDot color={color} />,
          }))}
        />
        <ComboBox
          label="Loading"
          labelPlace="above"
          isLoading
          items={[]}
          inputValue={service}
          onInputChange={setService}
          onSelect={() => {}}
        />
      </Line>
      <Line label="TimeRangePicker">
        <TimeRangePicker
          zone="Europe/Berlin"
          value={range}
          onChange={setRange}
          recent={[{ range: '90m' }, { fromNs: '1763899200000000000', toNs: '1763902800000000000' }]}
        />
        <TimeRangePicker zone="UTC" value={fixed} onChange={setFixed} />
      </Line>
      <Line label="Popover, Dialog">
        <PopoverTrigger>
          <Button icon={LayoutList}>{'Popover'}</Button>
          <Popover label="Columns">{'Anything small.'}</Popover>
        </PopoverTrigger>
        <DialogTrigger>
          <Button>{'Dialog'}</Button>
          <Dialog
            title="Keys"
            actions={(close) => (
              <>
                <Button variant="quiet" onPress={close}>
                  {'Cancel'}
                </Button>
                <Button variant="primary" onPress={close}>
                  {'Save'}
                </Button>
              </>
            )}
          >
            {'Single-letter keys can be turned off; all commands stay in the palette.'}
          </Dialog>
        </DialogTrigger>
      </Line>
    </Section>
  );
}
