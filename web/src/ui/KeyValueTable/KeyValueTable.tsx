// Attributes: key, value, and the menu of a value. Long values are cut to a few lines until asked for; line breaks in
// values are kept.

import { Fragment, type ReactNode, useState } from 'react';
import { Button } from '../Button/Button.tsx';
import { cx } from '../props.ts';
import { ValueMenu, type ValueVerbs } from '../ValueMenu/ValueMenu.tsx';
import { VisuallyHidden } from '../VisuallyHidden/VisuallyHidden.tsx';
import css from './KeyValueTable.module.css';
import { text } from './text.ts';

export type KeyValueRow = {
  key: string;
  /** The value as text: what is copied and searched. */
  value: string;
  /** Shown instead of the text: a link, a tree of JSON. */
  shown?: ReactNode;
  /** Numbers and truth values look different from strings. */
  isLiteral?: boolean | undefined;
  actions?: ValueVerbs | undefined;
  /** Further `MenuItem`s. */
  more?: ReactNode;
};

export type KeyValueTableProps = {
  caption: string;
  rows: readonly KeyValueRow[];
};

const longFrom = 240;

/** A key breaks after its dots and underscores rather than within a word. */
function Key({ name }: { name: string }) {
  return name.split(/(?<=[._/])/).map((part, i) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: parts have no other name
    <Fragment key={i}>
      {i > 0 && <wbr />}
      {part}
    </Fragment>
  ));
}

function Value({ value, isLiteral = false }: { value: string; isLiteral?: boolean | undefined }) {
  const [isOpen, setOpen] = useState(false);
  const isLong = value.length > longFrom || value.split('\n', 6).length > 5;
  return (
    <>
      <span className={cx(css['text'], isLiteral && css['literal'], isLong && !isOpen && css['cut'])}>{value}</span>
      {isLong && (
        <Button size="small" variant="quiet" className={css['toggle']} onPress={() => setOpen(!isOpen)}>
          {isOpen ? text.less : text.more}
        </Button>
      )}
    </>
  );
}

export function KeyValueTable({ caption, rows }: KeyValueTableProps) {
  return (
    <div className={css['box']}>
      <table className={css['table']}>
        <caption>
          <VisuallyHidden>{caption}</VisuallyHidden>
        </caption>
        <thead className={css['heads']}>
          <tr>
            <th scope="col">
              <VisuallyHidden>{text.key}</VisuallyHidden>
            </th>
            <th scope="col">
              <VisuallyHidden>{text.value}</VisuallyHidden>
            </th>
            <th scope="col" className={css['menuHead']}>
              <VisuallyHidden>{text.actions}</VisuallyHidden>
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ key, value, shown, isLiteral, actions, more }, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: a key can be there twice
            <tr key={`${key} ${index}`} className={css['row']}>
              <th scope="row" className={css['key']}>
                <Key name={key} />
              </th>
              <td className={css['value']}>{shown ?? <Value value={value} isLiteral={isLiteral} />}</td>
              <td className={css['menu']}>
                <ValueMenu field={key} value={value} actions={actions ?? {}} more={more} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
