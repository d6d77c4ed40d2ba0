// The details as one piece that is fetched when something is first selected.

export { DetailsPanel } from './DetailsPanel.tsx';
export { SidePanel } from './SidePanel.tsx';
