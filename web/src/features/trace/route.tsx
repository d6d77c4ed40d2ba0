// The page "trace".

import { PageTitle } from '../../ui/PageTitle/PageTitle.tsx';
import type { RouteOf } from '../../url/index.ts';

export default function Trace({ route }: { route: RouteOf<'trace'> }) {
  return <PageTitle title={route.page} routeKey={route.page} />;
}
