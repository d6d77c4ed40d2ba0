// All keys that do something here, by what they belong to.

import { keysOf, useAllCommands } from '../core/commands.ts';
import { Dialog } from '../ui/Dialog/Dialog.tsx';
import { Kbd } from '../ui/Kbd/Kbd.tsx';
import css from './KeysSheet.module.css';
import { text } from './text.ts';

export function KeysSheet({ isOpen, onOpenChange }: { isOpen: boolean; onOpenChange: (isOpen: boolean) => void }) {
  const commands = useAllCommands().filter((command) => keysOf(command).length > 0);
  const groups = [...new Set(commands.map((command) => command.group))];
  return (
    <Dialog title={text.keysTitle} size="large" isOpen={isOpen} onOpenChange={onOpenChange}>
      <div className={css['groups']}>
        {groups.map((group) => (
          <section key={group} className={css['group']}>
            <h3 className={css['title']}>{group}</h3>
            <dl className={css['list']}>
              {commands
                .filter((command) => command.group === group)
                .map((command) => (
                  <div key={command.id} className={css['row']}>
                    <dt>{command.title}</dt>
                    <dd className={css['keys']}>
                      {keysOf(command).map((key) => (
                        <Kbd key={key} keys={key} />
                      ))}
                    </dd>
                  </div>
                ))}
            </dl>
          </section>
        ))}
      </div>
      <p className={css['hint']}>{text.keysHint}</p>
    </Dialog>
  );
}
