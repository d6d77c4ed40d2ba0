// The search page, loaded when it is first shown.

import type { RouteOf } from '../../url/index.ts';
import { ExplorePage } from './ExplorePage.tsx';

export default function Explore({ route }: { route: RouteOf<'search'> }) {
  return <ExplorePage route={route} />;
}
