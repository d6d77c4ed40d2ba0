// Tables and small displays of values.

import { useState } from 'react';
import { CodeBlock } from '../../ui/CodeBlock/CodeBlock.tsx';
import { DurationBar } from '../../ui/DurationBar/DurationBar.tsx';
import { JsonTree } from '../../ui/JsonTree/JsonTree.tsx';
import { KeyValueTable } from '../../ui/KeyValueTable/KeyValueTable.tsx';
import { MeterBar } from '../../ui/MeterBar/MeterBar.tsx';
import { Scrollbar } from '../../ui/Scrollbar/Scrollbar.tsx';
import { ServiceName } from '../../ui/ServiceName/ServiceName.tsx';
import { Sparkline } from '../../ui/Sparkline/Sparkline.tsx';
import { Splitter } from '../../ui/Splitter/Splitter.tsx';
import { Stat } from '../../ui/Stat/Stat.tsx';
import { ValueMenu } from '../../ui/ValueMenu/ValueMenu.tsx';
import css from './gallery.module.css';
import { Line, Section } from './Section.tsx';
import { json, services, sql } from './sample.ts';

const noop = () => {};
const verbs = { filterIn: noop, filterOut: noop, colourBy: noop, addColumn: noop, pin: noop };
const attributes = [
  { key: 'db.statement', value: sql, actions: verbs },
  { key: 'http.response.status_code', value: '500', isLiteral: true, actions: verbs },
  {
    key: 'exception.stacktrace',
    value: Array.from({ length: 12 }, (_, i) => `at shop.Cart.pay(Cart.java:${i + 40})`).join('\n'),
  },
  { key: 'enduser.id', value: 'a3ce929d0e0e47364bf92f3577b34da6a3ce929d0e0e47364bf92f3577b34da6', actions: verbs },
];

export function Displays() {
  const [size, setSize] = useState(240);
  const [row, setRow] = useState(1204);
  return (
    <Section title="Displays">
      <Line label="Stat">
        <div className={css['stats']}>
          <Stat label="spans per second" value="1,240" />
          <Stat label="errors" value="0.42" unit="%" tone="error" change="was 0.10 %" />
          <Stat label="store" value="41" unit="%" tone="warn" change="11 d left" />
          <Stat isInline label="services" value="31" />
        </div>
      </Line>
      <Line label="Service, value">
        <ServiceName name="checkout" color={services[0]?.color ?? ''} />
        <ServiceName name="inventory" operation="SELECT items" color={services[2]?.color ?? ''} isHatched />
        <ValueMenu field="http.route" value="/pay" actions={verbs}>
          {'/pay'}
        </ValueMenu>
        <ValueMenu field="http.route" value="/pay" actions={verbs} />
      </Line>
      <Line label="Sparkline">
        <Sparkline label="Rising" values={[1, 2, 2, 4, 3, 8, 9, 12]} />
        <Sparkline label="With a gap" values={[3, 4, null, null, 5, null, 6, 7]} tone="quiet" />
        <Sparkline label="Bars" kind="bars" values={[1, 2, 0, 2, 5, 7, 3, 1, 1, 4]} />
        <Sparkline label="Errors" kind="bars" tone="error" values={[0, 0, 1, 0, 9, 2]} />
      </Line>
      <Line label="MeterBar" isWide>
        <div className={css['bars']}>
          <MeterBar label="Store" value={41} max={100} valueText="41 %" />
          <MeterBar label="Spans of checkout" value={812} max={1200} errors={93} tone="quiet" />
          <MeterBar label="Store, nearly full" value={93} max={100} tone="warn" />
        </div>
      </Line>
      <Line label="DurationBar" isWide>
        <div className={css['bars']}>
          <DurationBar text="2.14 s" value={2140} max={2140} color={services[0]?.color ?? ''} />
          <DurationBar text="310 ms" value={310} max={2140} tone="error" />
          <DurationBar text="41.2 µs" value={0.04} max={2140} />
        </div>
      </Line>
      <Line label="KeyValueTable" isWide>
        <KeyValueTable caption="Attributes" rows={attributes} />
      </Line>
      <Line label="JsonTree" isWide>
        <JsonTree label="Message" value={json} />
      </Line>
      <Line label="CodeBlock" isWide>
        <CodeBlock label="Statement" code={sql} />
      </Line>
      <Line label="Splitter, Scrollbar" isWide>
        <div className={css['panes']}>
          <div style={{ inlineSize: size }}>{'Pane'}</div>
          <Splitter label="Width of the pane" value={size} min={120} max={600} defaultValue={240} onChange={setSize} />
          <div className={css['grow']}>{row.toFixed(0)}</div>
          <Scrollbar label="Rows" value={row} page={40} total={1_000_000} onChange={setRow} />
        </div>
      </Line>
    </Section>
  );
}
