export function FlameView(_props: { flame: unknown }) {
  return null;
}
