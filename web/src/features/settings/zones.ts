// The zones there are, and those that a text may mean.

const SHOWN_MAX = 60;

let names: readonly string[] | null = null;

/** Asked of the browser when it is first needed: there are some four hundred. */
function allZones(): readonly string[] {
  names ??= ['browser', 'UTC', ...Intl.supportedValuesOf('timeZone').filter((name) => name !== 'UTC')];
  return names;
}

const plain = (name: string) => name.toLowerCase().replaceAll(/[_/]/g, ' ');

/** Words in any order: `new york`, `berlin europe`. */
export function zonesMatching(typed: string): readonly string[] {
  const words = plain(typed).split(' ').filter(Boolean);
  return allZones()
    .filter((name) => words.every((word) => plain(name).includes(word)))
    .slice(0, SHOWN_MAX);
}
