// The page "map".

import { PageTitle } from '../../ui/PageTitle/PageTitle.tsx';
import type { RouteOf } from '../../url/index.ts';

export default function MapPage({ route }: { route: RouteOf<'map'> }) {
  return <PageTitle title={route.page} routeKey={route.page} />;
}
