// The page "service".

import { PageTitle } from '../../ui/PageTitle/PageTitle.tsx';
import type { RouteOf } from '../../url/index.ts';

export default function Service({ route }: { route: RouteOf<'service'> }) {
  return <PageTitle title={route.page} routeKey={route.page} />;
}
