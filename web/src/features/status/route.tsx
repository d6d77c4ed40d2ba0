// Status: is data arriving, what was refused and why, how full is the store?

import { statusQuestion } from '../../api/questions.ts';
import { useAsked } from '../../core/ranged.ts';
import type { RouteOf } from '../../url/index.ts';
import { StatusPage } from './StatusPage.tsx';

const EVERY_MS = 5_000;

export default function Status(_props: { route: RouteOf<'status'> }) {
  const status = useAsked(statusQuestion(), { everyMs: EVERY_MS });
  return <StatusPage status={status} />;
}
