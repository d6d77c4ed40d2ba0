// Two helpers of all components: class names, and optional props.

type Name = string | false | null | undefined;

/** Joins the class names that are there. */
export function cx(...names: Name[]): string {
  return names.filter(Boolean).join(' ');
}

type Given<T> = { [K in keyof T]: Exclude<T[K], undefined> };

/**
 * Our props may be given as `undefined`; React Aria treats that as absent but its types, under
 * `exactOptionalPropertyTypes`, do not say so.
 */
export function given<T extends object>(props: T): Given<T> {
  return props as Given<T>;
}
