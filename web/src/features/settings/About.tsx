// The version, and the way back to how everything was.

import { boot } from '../../core/boot.ts';
import { hrefOf } from '../../core/navigation.ts';
import { defaults } from '../../core/places.ts';
import { resetPreferences } from '../../core/preferences.ts';
import { Button } from '../../ui/Button/Button.tsx';
import { Dialog, DialogTrigger } from '../../ui/Dialog/Dialog.tsx';
import { LinkButton } from '../../ui/LinkButton/LinkButton.tsx';
import { announce } from '../../ui/LiveRegion/LiveRegion.tsx';
import { Section, Setting } from './Section.tsx';
import { text } from './text.ts';

export function About() {
  return (
    <Section id="about" title={text.about}>
      <Setting name={text.version} detail={text.noInternet}>
        <span>{boot.version === '' ? text.unknownVersion : boot.version}</span>
        <LinkButton href={hrefOf(defaults.status())}>{text.status}</LinkButton>
      </Setting>
      <Setting name={text.resetAll} detail={text.resetAllNote}>
        <DialogTrigger>
          <Button size="small">{text.resetAllButton}</Button>
          <Dialog
            title={text.resetAllQuestion}
            size="small"
            role="alertdialog"
            actions={(close) => (
              <>
                <Button onPress={close}>{text.cancel}</Button>
                <Button
                  variant="danger"
                  onPress={() => {
                    resetPreferences();
                    announce(text.resetDone);
                    close();
                  }}
                >
                  {text.resetAllButton}
                </Button>
              </>
            )}
          >
            <p>{text.resetAllNote}</p>
          </Dialog>
        </DialogTrigger>
      </Setting>
    </Section>
  );
}
