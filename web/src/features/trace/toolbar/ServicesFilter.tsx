// Which services of the trace are shown: tick boxes, with a field to find one among many.

import { ChevronDown } from 'lucide-react';
import { useState } from 'react';
import { formatPercent } from '../../../format/number.ts';
import { cssColourOf, isHatched } from '../../../theme/palette.ts';
import { Button } from '../../../ui/Button/Button.tsx';
import { Checkbox } from '../../../ui/Checkbox/Checkbox.tsx';
import { Popover, PopoverTrigger } from '../../../ui/Popover/Popover.tsx';
import { SearchField } from '../../../ui/SearchField/SearchField.tsx';
import { ServiceDot } from '../../../ui/ServiceName/ServiceName.tsx';
import { useTracePage } from '../state/page.tsx';
import { showServices, toggleService } from './services.ts';
import css from './Toolbar.module.css';
import { text } from './text.ts';

const FIND_FROM = 8;

export function ServicesFilter() {
  const { session, hiddenServices } = useTracePage();
  const all = session.facts.services.length;
  const shown = all - [...hiddenServices].filter((s) => session.facts.services.some((one) => one.service === s)).length;
  return (
    <PopoverTrigger>
      <Button size="small" variant="quiet" end={<ChevronDown aria-hidden size={14} />}>
        {text.services(shown, all)}
      </Button>
      <Popover label={text.servicesLabel}>
        <ServiceList />
      </Popover>
    </PopoverTrigger>
  );
}

function ServiceList() {
  const { session, hiddenServices } = useTracePage();
  const { services } = session.facts;
  const [wanted, setWanted] = useState('');
  const found = services.filter(({ name }) => name.toLowerCase().includes(wanted.trim().toLowerCase()));
  return (
    <div className={css['list']}>
      {services.length >= FIND_FROM && <SearchField label={text.servicesFind} value={wanted} onChange={setWanted} />}
      <ul className={css['items']}>
        {found.map(({ service, name, share }) => {
          const slot = session.slots[service] ?? -1;
          return (
            <li key={name} className={css['item']}>
              <ServiceDot color={cssColourOf(slot)} isHatched={isHatched(slot)} />
              <Checkbox
                label={name}
                isSelected={!hiddenServices.has(service)}
                onChange={() => toggleService(session, hiddenServices, name)}
              />
              <span className={css['itemEnd']}>{formatPercent(share)}</span>
              <Button
                size="small"
                variant="quiet"
                aria-label={text.onlyThis(name)}
                onPress={() => showServices(session, [name])}
              >
                {text.only1}
              </Button>
            </li>
          );
        })}
      </ul>
      {hiddenServices.size > 0 && (
        <Button size="small" onPress={() => showServices(session, [])}>
          {text.allServices}
        </Button>
      )}
    </div>
  );
}
