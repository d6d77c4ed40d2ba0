// What was taken over from a Jaeger: link templates that work here, and keys of its configuration that have no meaning.

import type { LinkTemplate } from '../../core/boot.ts';
import { configured } from '../../core/boot.ts';
import { unknownTransforms } from '../../core/linkTransforms.ts';
import { Table, type TableColumn } from '../../ui/Table/Table.tsx';
import { Section } from './Section.tsx';
import css from './Settings.module.css';
import { text } from './text.ts';

const COLUMNS: TableColumn<LinkTemplate>[] = [
  { id: 'type', header: text.linkType, width: '96px', cell: ({ type }) => type },
  { id: 'key', header: text.linkKey, isRowHeader: true, width: '160px', isMono: true, cell: ({ key }) => key ?? '*' },
  { id: 'text', header: text.linkText, isWideOnly: true, cell: ({ text: label }) => label },
  { id: 'url', header: text.linkUrl, isMono: true, cell: ({ url }) => <span title={url}>{url}</span> },
];

export function Compatibility() {
  const { links, ignoredConfig } = configured;
  const unknown = unknownTransforms(links);
  return (
    <>
      <Section id="links" title={text.links}>
        {links.length === 0 && <p className={css['quiet']}>{text.noLinks}</p>}
        {links.length > 0 && (
          <Table
            caption={text.links}
            columns={COLUMNS}
            rows={links}
            rowKey={({ type, key, url }) => `${type} ${key} ${url}`}
          />
        )}
      </Section>
      <Section id="compatibility" title={text.compatibility}>
        <p className={css['quiet']}>{text.jaegerLinks}</p>
        {ignoredConfig.length === 0 && <p className={css['quiet']}>{text.nothingIgnored}</p>}
        {ignoredConfig.length > 0 && (
          <>
            <p className={css['quiet']}>{text.ignored}</p>
            <ul className={css['ignored']}>
              {ignoredConfig.map((key) => (
                <li key={key}>
                  <code>{key}</code>
                </li>
              ))}
            </ul>
          </>
        )}
        {unknown.length > 0 && (
          <>
            <p className={css['quiet']}>{text.unknownTransforms}</p>
            <ul className={css['ignored']}>
              {unknown.map(({ name, url }) => (
                <li key={`${name} ${url}`}>
                  <code>{name}</code> <span className={css['quiet']}>{text.inTemplate(url)}</span>
                </li>
              ))}
            </ul>
          </>
        )}
      </Section>
    </>
  );
}
