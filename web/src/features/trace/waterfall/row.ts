// One row of the waterfall as elements that are filled again and again: as many exist as are on screen, whatever the
// trace. Written by hand and not by React, since a frame has 16 ms for all of them.

import { slotOfRow } from '../../../canvas/theme.ts';
import { formatDuration } from '../../../format/duration.ts';
import { FLAG, type RowIndex } from '../../../model/columns.ts';
import { cssColourOf, isHatched } from '../../../theme/palette.ts';
import { barsOf } from '../../../ui/Sparkline/shape.ts';
import type { TraceSession } from '../state/session.ts';
import type { RowsInput } from './rowPool.ts';
import css from './rows.module.css';
import { badgesOf, nameOf, rowLabel, serviceOf } from './rowText.ts';
import { text } from './text.ts';

const SVG = 'http://www.w3.org/2000/svg';
const SPARK = { width: 40, height: 14 };

function sumTitle(session: TraceSession, head: RowIndex): string {
  const { sum, average } = session.distribution(head);
  return `${text.sum(formatDuration(sum))}, ${text.average(formatDuration(average))}`;
}

function part(className: string | undefined, parent: HTMLElement): HTMLElement {
  const element = document.createElement('span');
  if (className !== undefined) element.className = className;
  parent.append(element);
  return element;
}

function svg(width: number, height: number, className: string | undefined): { svg: SVGElement; path: SVGElement } {
  const element = document.createElementNS(SVG, 'svg');
  element.setAttribute('viewBox', `0 0 ${width} ${height}`);
  element.setAttribute('width', String(width));
  element.setAttribute('height', String(height));
  element.setAttribute('aria-hidden', 'true');
  if (className !== undefined) element.setAttribute('class', className);
  const path = document.createElementNS(SVG, 'path');
  element.append(path);
  return { svg: element, path };
}

export class Row {
  readonly element = document.createElement('div');
  index = -1;
  #key = '';
  #top = Number.NaN;
  readonly #name: HTMLElement;
  readonly #toggle: HTMLElement;
  readonly #dot: HTMLElement;
  readonly #service: HTMLElement;
  readonly #operation: HTMLElement;
  readonly #badges: HTMLElement;
  readonly #spark: { svg: SVGElement; path: SVGElement };
  readonly #self: HTMLElement;
  readonly #time: HTMLElement;
  #values: HTMLElement[] = [];

  constructor() {
    this.element.setAttribute('role', 'row');
    this.element.className = css['row'] ?? '';
    this.element.tabIndex = -1;
    this.#name = this.#cell(css['name']);
    this.#toggle = part(css['toggle'], this.#name);
    const chevron = svg(12, 12, css['chevron']);
    chevron.path.setAttribute('d', 'M4 2.5 8 6 4 9.5');
    this.#toggle.append(chevron.svg);
    this.#dot = part(css['dot'], this.#name);
    const words = part(css['words'], this.#name);
    this.#service = part(css['service'], words);
    this.#operation = part(css['operation'], words);
    this.#badges = part(css['badges'], this.#name);
    this.#spark = svg(SPARK.width, SPARK.height, css['spark']);
    this.#name.append(this.#spark.svg);
    this.#self = this.#cell(css['self']);
    this.#time = this.#cell(css['time']);
  }

  #cell(className: string | undefined): HTMLElement {
    const cell = document.createElement('div');
    cell.setAttribute('role', 'gridcell');
    cell.className = className ?? '';
    this.element.append(cell);
    return cell;
  }

  place(top: number): void {
    if (top === this.#top) return;
    this.#top = top;
    this.element.style.transform = `translateY(${top}px)`;
  }

  /** Not on screen, until it is filled again. */
  park(): void {
    const { element } = this;
    if (element.hidden) return;
    element.hidden = true;
    element.removeAttribute('id');
    element.tabIndex = -1;
    this.#attribute('aria-selected', 'false');
    this.#key = '';
  }

  fill(index: number, input: RowsInput): void {
    if (this.element.hidden) this.element.hidden = false;
    this.index = index;
    const key = `${index} ${input.stamp}`;
    if (key !== this.#key) {
      this.#key = key;
      this.#write(index, input);
    }
    const isActive = index === input.active;
    this.#attribute('aria-selected', isActive ? 'true' : 'false');
    const tab = isActive || (input.active < 0 && index === 0) ? 0 : -1;
    if (this.element.tabIndex !== tab) this.element.tabIndex = tab;
  }

  #write(index: number, input: RowsInput): void {
    const { session } = input;
    const { rows, columns } = session;
    const row = rows.rowAt(index);
    const isGroup = rows.isGroupAt(index);
    const flags = columns.flags[row] as number;
    const level = rows.levelAt(index);
    const { element } = this;
    const isExpandable = rows.isExpandableAt(index);
    const isExpanded = isExpandable && rows.isExpandedAt(index);
    element.dataset['index'] = String(index);
    element.id = `${input.id}-${index}`;
    this.#attribute('aria-rowindex', String(index + 2));
    this.#attribute('aria-level', String(level + 1));
    this.#attribute('aria-expanded', isExpandable ? String(isExpanded) : null);
    this.#attribute('aria-label', rowLabel(session, row, isGroup));
    element.toggleAttribute('data-dimmed', session.barAt(index).isDimmed);
    element.toggleAttribute('data-match', input.matches?.has(row) === true && !isGroup);
    element.toggleAttribute('data-group', isGroup);
    this.#name.style.setProperty('--indent', `${Math.round(level * input.indentPx)}px`);
    this.#toggle.toggleAttribute('data-on', isExpandable);
    const slot = slotOfRow(input.colours, row);
    this.#dot.style.color = cssColourOf(slot);
    this.#dot.toggleAttribute('data-hatched', isHatched(slot));
    this.#service.textContent = serviceOf(session, row);
    this.#operation.textContent = nameOf(session, row);
    this.#writeBadges(row, isGroup, flags, input);
    this.#self.textContent = formatDuration(isGroup ? session.distribution(row).sum : (columns.self[row] as number));
    this.#self.title = isGroup ? sumTitle(session, row) : '';
    this.#writeValues(row, input);
    this.#time.style.inlineSize = '';
  }

  #writeBadges(row: RowIndex, isGroup: boolean, flags: number, input: RowsInput): void {
    const run = isGroup ? input.session.distribution(row) : null;
    const hasError = run === null ? (flags & FLAG.error) !== 0 : run.errors > 0;
    this.#badges.replaceChildren();
    if (run !== null) part(css['count'], this.#badges).textContent = `×${run.count}`;
    if (hasError) part(css['error'], this.#badges);
    if (run === null) {
      for (const { short, long } of badgesOf(flags)) {
        const badge = part(css['badge'], this.#badges);
        badge.textContent = short;
        badge.title = long;
      }
    }
    this.#spark.svg.style.display = run === null || run.shortest === run.longest ? 'none' : '';
    if (run !== null) {
      const values = Array.from(run.buckets);
      this.#spark.path.setAttribute('d', barsOf(values, { ...SPARK, top: Math.max(...values) }));
    }
  }

  #writeValues(row: RowIndex, input: RowsInput): void {
    while (this.#values.length > input.values.length) this.#values.pop()?.remove();
    while (this.#values.length < input.values.length) {
      const cell = this.#cell(css['value']);
      this.element.insertBefore(cell, this.#time);
      this.#values.push(cell);
    }
    input.values.forEach(({ textOf }, i) => {
      const cell = this.#values[i];
      if (cell === undefined) return;
      cell.textContent = textOf(row);
      cell.title = cell.textContent;
    });
  }

  #attribute(name: string, value: string | null): void {
    if (value === null) this.element.removeAttribute(name);
    else if (this.element.getAttribute(name) !== value) this.element.setAttribute(name, value);
  }
}
