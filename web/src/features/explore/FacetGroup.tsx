// The values of one field with how often they are there. Pressing a value opens its menu; beside it, for the pointer,
// are the two things that are done most.

import { ChevronDown, ChevronRight, CircleMinus, CirclePlus, Star } from 'lucide-react';
import { useId, useState } from 'react';
import type { Facet, FacetValue } from '../../api/types.ts';
import { formatCount } from '../../format/number.ts';
import { fieldLabel, SERVICE } from '../../query/fields.ts';
import { serviceColour } from '../../theme/palette.ts';
import { ServiceDot } from '../../ui/ServiceName/ServiceName.tsx';
import { ValueMenu } from '../../ui/ValueMenu/ValueMenu.tsx';
import css from './Facets.module.css';
import { text } from './text.ts';
import type { Changes } from './useExplore.ts';

const FEW = 6;

/** Less than a hundredth of a value is no sign of it, and nothing is seen in a bar that is hardly there. */
function hasFailures({ count, errors }: FacetValue, most: number): boolean {
  return errors >= count * 0.01 && errors > 0 && count >= most * 0.03;
}

type ValueProps = {
  field: string;
  value: FacetValue;
  most: number;
  isCounted: boolean;
  /** Whether errors tell values apart: not where all of all failed. */
  isTelling: boolean;
  changes: Changes;
  onColumn: (() => void) | undefined;
};

function Value({ field, value, most, isCounted, isTelling, changes, onColumn }: ValueProps) {
  const isOn = changes.has(field, value.literal);
  const include = () => changes.include(field, value.literal);
  const exclude = () => changes.exclude(field, value.literal);
  const name = value.value === '' ? value.literal : value.value;
  const title = [text.facetSpans(value.count), ...(value.errors > 0 ? [text.failedSpans(value.errors)] : [])];
  return (
    <li className={css['value']} data-on={isOn || undefined}>
      <span aria-hidden className={css['share']} style={{ inlineSize: `${(value.count / Math.max(1, most)) * 100}%` }}>
        {isTelling && hasFailures(value, most) && (
          <span
            className={css['failed']}
            style={{ inlineSize: `${(value.errors / Math.max(1, value.count)) * 100}%` }}
          />
        )}
      </span>
      <span className={css['name']}>
        <ValueMenu field={field} value={name} actions={{ filterIn: include, filterOut: exclude, addColumn: onColumn }}>
          <span className={css['label']} title={name}>
            {field === SERVICE && <ServiceDot color={serviceColour(value.value)} />}
            <span className={css['labelText']}>{name}</span>
          </span>
        </ValueMenu>
      </span>
      {isCounted && (
        <span className={css['count']} title={text.list(title)}>
          {formatCount(value.count)}
        </span>
      )}
      <span aria-hidden className={css['quick']}>
        <button type="button" tabIndex={-1} title={isOn ? text.noLonger(name) : text.only(name)} onClick={include}>
          <CirclePlus size={14} />
        </button>
        <button type="button" tabIndex={-1} title={text.without(name)} onClick={exclude}>
          <CircleMinus size={14} />
        </button>
      </span>
    </li>
  );
}

type FacetGroupProps = {
  facet: Facet;
  /** Only values that hold this. */
  wanted: string;
  isCounted: boolean;
  isStarred: boolean;
  onStar: () => void;
  changes: Changes;
  onColumn: (() => void) | undefined;
};

export function FacetGroup({ facet, wanted, isCounted, isStarred, onStar, changes, onColumn }: FacetGroupProps) {
  const [isOpen, setOpen] = useState(true);
  const [isWhole, setWhole] = useState(false);
  const id = useId();
  const label = fieldLabel(facet.field);
  const isFieldWanted = label.toLowerCase().includes(wanted);
  const values = isFieldWanted
    ? facet.values
    : facet.values.filter(({ value }) => value.toLowerCase().includes(wanted));
  // What no matching span has is not in the way, unless somebody wants it.
  if (values.length === 0 && !(isFieldWanted && (isStarred || wanted !== ''))) return null;
  const shown = isWhole || wanted !== '' ? values : values.slice(0, FEW);
  const most = facet.values.reduce((max, { count }) => Math.max(max, count), 0);
  const isTelling = facet.values.some(({ count, errors }) => errors < count);
  const Chevron = isOpen ? ChevronDown : ChevronRight;
  return (
    <section className={css['group']} aria-label={label}>
      <div className={css['head']}>
        <h3 className={css['title']}>
          <button
            type="button"
            className={css['toggle']}
            aria-expanded={isOpen}
            aria-controls={id}
            title={facet.field}
            onClick={() => setOpen(!isOpen)}
          >
            <Chevron aria-hidden size={14} className={css['chevron']} />
            <span className={css['titleText']}>{label}</span>
          </button>
        </h3>
        <button
          type="button"
          className={css['star']}
          aria-pressed={isStarred}
          aria-label={isStarred ? text.facetUnstar(label) : text.facetStar(label)}
          title={isStarred ? text.facetUnstar(label) : text.facetStar(label)}
          onClick={onStar}
        >
          <Star aria-hidden size={13} fill={isStarred ? 'currentcolor' : 'none'} />
        </button>
      </div>
      <ul id={id} className={css['values']} hidden={!isOpen}>
        {shown.map((value) => (
          <Value
            key={value.literal}
            {...{ value, most, isCounted, isTelling, changes, onColumn }}
            field={facet.field}
          />
        ))}
        {values.length === 0 && <li className={css['none']}>{text.facetEmpty}</li>}
        {shown.length < values.length && (
          <li>
            <button type="button" className={css['more']} onClick={() => setWhole(true)}>
              {text.facetMore(values.length - shown.length)}
            </button>
          </li>
        )}
        {isWhole && values.length > FEW && (
          <li>
            <button type="button" className={css['more']} onClick={() => setWhole(false)}>
              {text.showFewer}
            </button>
          </li>
        )}
        {facet.others > 0 && shown.length === values.length && wanted === '' && (
          <li className={css['none']}>{text.facetOthers(facet.others)}</li>
        )}
      </ul>
    </section>
  );
}
