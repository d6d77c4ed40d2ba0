// The page "status".

import { PageTitle } from '../../ui/PageTitle/PageTitle.tsx';
import type { RouteOf } from '../../url/index.ts';

export default function Status({ route }: { route: RouteOf<'status'> }) {
  return <PageTitle title={route.page} routeKey={route.page} />;
}
