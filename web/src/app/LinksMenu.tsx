// Links of whoever runs the server: the `menu` of a Jaeger UI configuration. They stand in the palette, too.

import { ExternalLink } from 'lucide-react';
import { boot } from '../core/boot.ts';
import { useCommands } from '../core/commands.ts';
import { IconButton } from '../ui/IconButton/IconButton.tsx';
import { Menu, MenuItem, MenuTrigger } from '../ui/Menu/Menu.tsx';
import { text } from './text.ts';

export function LinksMenu() {
  const links = boot.menu.map(({ label, url }, at) => ({ id: `links.${at}`, label, url }));
  useCommands(
    links.map(({ id, label, url }) => ({
      id,
      title: label,
      group: text.links,
      keys: [],
      run: () => void open(new URL(url, document.baseURI).href, '_blank', 'noopener'),
    })),
  );
  return (
    <MenuTrigger>
      <IconButton icon={ExternalLink} label={text.links} />
      <Menu label={text.links} placement="bottom end">
        {links.map(({ id, label, url }) => (
          <MenuItem key={id} id={id} label={label} href={url} target="_blank" rel="noopener" />
        ))}
      </Menu>
    </MenuTrigger>
  );
}
