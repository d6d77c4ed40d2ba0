// The page "explore".

import { PageTitle } from '../../ui/PageTitle/PageTitle.tsx';
import type { RouteOf } from '../../url/index.ts';

export default function Explore({ route }: { route: RouteOf<'search'> }) {
  return <PageTitle title={route.page} routeKey={route.page} />;
}
