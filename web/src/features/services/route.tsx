// The page "services".

import { PageTitle } from '../../ui/PageTitle/PageTitle.tsx';
import type { RouteOf } from '../../url/index.ts';

export default function Services({ route }: { route: RouteOf<'services'> }) {
  return <PageTitle title={route.page} routeKey={route.page} />;
}
