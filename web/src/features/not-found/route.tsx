// What stands where there is no page.

import { Unlink } from 'lucide-react';
import { go } from '../../core/navigation.ts';
import { defaults } from '../../core/places.ts';
import { Button } from '../../ui/Button/Button.tsx';
import { EmptyState } from '../../ui/EmptyState/EmptyState.tsx';
import { PageTitle } from '../../ui/PageTitle/PageTitle.tsx';
import type { RouteOf } from '../../url/index.ts';
import { text } from './text.ts';

export default function NotFound({ route }: { route: RouteOf<'notFound'> }) {
  return (
    <>
      <PageTitle isHidden title={text.title} routeKey={`not found ${route.state.path}`} />
      <EmptyState
        icon={Unlink}
        title={text.title}
        actions={
          <>
            <Button onPress={() => go(defaults.home())}>{text.home}</Button>
            <Button onPress={() => go(defaults.search())}>{text.explore}</Button>
          </>
        }
      >
        {text.nothingAt(route.state.path)}
      </EmptyState>
    </>
  );
}
