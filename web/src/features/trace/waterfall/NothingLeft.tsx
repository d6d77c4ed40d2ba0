// In place of rows when everything is filtered out.

import { FilterX } from 'lucide-react';
import { Button } from '../../../ui/Button/Button.tsx';
import { EmptyState } from '../../../ui/EmptyState/EmptyState.tsx';
import { stateNow, update } from '../state/page.tsx';
import { text } from './text.ts';
import css from './Waterfall.module.css';

function showEverything(): void {
  const state = stateNow();
  update(
    {
      services: [],
      svcFilter: null,
      minNs: 0,
      onlyMatches: false,
      focus: null,
      critical: state?.critical === 'only' ? 'shown' : (state?.critical ?? 'shown'),
    },
    'push',
  );
}

export function NothingLeft() {
  return (
    <div className={css['nothing']} data-own-wheel>
      <EmptyState
        icon={FilterX}
        title={text.nothingLeft}
        actions={<Button onPress={showEverything}>{text.showAll}</Button>}
      >
        {text.nothingLeftWhy}
      </EmptyState>
    </div>
  );
}
