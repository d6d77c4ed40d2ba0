// The colour that a service has where it stands alone: in lists and facets.

import { cssColourOf, preferredSlot } from '../../theme/palette.ts';

export function serviceColour(service: string): string {
  return cssColourOf(preferredSlot(service));
}
