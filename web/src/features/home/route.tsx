// The page "home".

import { PageTitle } from '../../ui/PageTitle/PageTitle.tsx';
import type { RouteOf } from '../../url/index.ts';

export default function Home({ route }: { route: RouteOf<'home'> }) {
  return <PageTitle title={route.page} routeKey={route.page} />;
}
