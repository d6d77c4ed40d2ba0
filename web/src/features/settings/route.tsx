// The page "settings".

import { PageTitle } from '../../ui/PageTitle/PageTitle.tsx';
import type { RouteOf } from '../../url/index.ts';

export default function Settings({ route }: { route: RouteOf<'settings'> }) {
  return <PageTitle title={route.page} routeKey={route.page} />;
}
