// The page "compare".

import { PageTitle } from '../../ui/PageTitle/PageTitle.tsx';
import type { RouteOf } from '../../url/index.ts';

export default function Compare({ route }: { route: RouteOf<'compare'> }) {
  return <PageTitle title={route.page} routeKey={route.page} />;
}
