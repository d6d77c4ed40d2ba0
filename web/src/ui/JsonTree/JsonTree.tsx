// JSON, folded. Keys of a tree: up and down, right opens or goes in, left closes or goes out, Home, End, Enter.

import { ChevronDown, ChevronRight } from 'lucide-react';
import { type KeyboardEvent, useMemo, useRef, useState } from 'react';
import { cx } from '../props.ts';
import css from './JsonTree.module.css';
import { type Json, type JsonLine, linesOf, openTo } from './lines.ts';
import { text } from './text.ts';

export type { Json } from './lines.ts';

export type JsonTreeProps = {
  label: string;
  value: Json;
  /** How many levels are open at first. */
  openDepth?: number | undefined;
};

function Content({ line }: { line: JsonLine }) {
  const isContainer = line.kind === 'object' || line.kind === 'array';
  const count = line.kind === 'array' ? text.items(line.count) : text.entries(line.count);
  return (
    <>
      {line.key !== null && <span className={css['key']}>{`${line.key}: `}</span>}
      {isContainer && <span className={css['count']}>{line.kind === 'array' ? `[ ${count} ]` : `{ ${count} }`}</span>}
      {line.kind === 'more' && <span className={css['more']}>{text.more(line.count)}</span>}
      {!isContainer && line.kind !== 'more' && (
        <span className={line.kind === 'string' ? css['string'] : css['literal']}>{line.text}</span>
      )}
    </>
  );
}

export function JsonTree({ label, value, openDepth = 1 }: JsonTreeProps) {
  const [open, setOpen] = useState<ReadonlySet<string>>(() => new Set(openTo(value, openDepth)));
  const [whole, setWhole] = useState<ReadonlySet<string>>(new Set());
  const [current, setCurrent] = useState('');
  const tree = useRef<HTMLDivElement>(null);
  const lines = useMemo(() => linesOf(value, open, whole), [value, open, whole]);
  const at = Math.max(
    0,
    lines.findIndex(({ path }) => path === current),
  );

  function go(index: number) {
    const line = lines[Math.min(lines.length - 1, Math.max(0, index))];
    if (!line) return;
    setCurrent(line.path);
    tree.current?.querySelectorAll<HTMLElement>('[role=treeitem]')[lines.indexOf(line)]?.focus();
  }
  function toggle(line: JsonLine) {
    if (line.kind === 'more') {
      setWhole(new Set([...whole, line.path.slice(0, -' more'.length)]));
      return;
    }
    if (line.text !== '' || line.count === 0) return;
    const next = new Set(open);
    if (!next.delete(line.path)) next.add(line.path);
    setOpen(next);
  }
  function parentOf(index: number): number {
    const depth = lines[index]?.depth ?? 0;
    for (let i = index - 1; i >= 0; i -= 1) if ((lines[i]?.depth ?? 0) < depth) return i;
    return index;
  }
  function key(event: KeyboardEvent) {
    const line = lines[at];
    if (!line || event.ctrlKey || event.metaKey || event.altKey) return;
    const isClosed = line.text === '' && line.count > 0 && !line.isOpen;
    if (event.key === 'ArrowDown') go(at + 1);
    else if (event.key === 'ArrowUp') go(at - 1);
    else if (event.key === 'Home') go(0);
    else if (event.key === 'End') go(lines.length - 1);
    else if (event.key === 'ArrowRight' && isClosed) toggle(line);
    else if (event.key === 'ArrowRight' && line.isOpen) go(at + 1);
    else if (event.key === 'ArrowLeft' && line.isOpen) toggle(line);
    else if (event.key === 'ArrowLeft') go(parentOf(at));
    else if (event.key === 'Enter' || event.key === ' ') toggle(line);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  return (
    <div ref={tree} role="tree" aria-label={label} className={css['tree']} onKeyDown={key}>
      {lines.map((line, index) => {
        const canOpen = line.text === '' && line.count > 0 && line.kind !== 'more';
        const Chevron = line.isOpen ? ChevronDown : ChevronRight;
        return (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the tree has the keys
          <div
            key={line.path}
            role="treeitem"
            tabIndex={index === at ? 0 : -1}
            aria-level={line.depth + 1}
            aria-posinset={line.position}
            aria-setsize={line.siblings}
            aria-expanded={canOpen ? line.isOpen : undefined}
            aria-selected={index === at}
            className={cx(css['line'])}
            style={{ paddingInlineStart: line.depth * 16 }}
            onClick={() => {
              setCurrent(line.path);
              if (getSelection()?.type !== 'Range') toggle(line);
            }}
          >
            <span className={css['chevron']}>{canOpen && <Chevron aria-hidden size={12} />}</span>
            <span className={css['content']}>
              <Content line={line} />
            </span>
          </div>
        );
      })}
    </div>
  );
}
