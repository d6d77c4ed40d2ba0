// The page "operation".

import { PageTitle } from '../../ui/PageTitle/PageTitle.tsx';
import type { RouteOf } from '../../url/index.ts';

export default function Operation({ route }: { route: RouteOf<'operation'> }) {
  return <PageTitle title={route.page} routeKey={route.page} />;
}
