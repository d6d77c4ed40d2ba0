export function StatsView() {
  return null;
}
