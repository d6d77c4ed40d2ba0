// Settings: what a reader likes. All of it stays in this browser, none of it is in a link.

import type { RouteOf } from '../../url/index.ts';
import { SettingsPage } from './SettingsPage.tsx';

export default function Settings(_props: { route: RouteOf<'settings'> }) {
  return <SettingsPage />;
}
