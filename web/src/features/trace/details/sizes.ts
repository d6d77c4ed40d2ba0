// Sizes of the details beside or below the view, by the name under which they are remembered.

export const PANEL_PX = 380;
export const PANEL_PX_MIN = 240;
/** What the view keeps. */
export const VIEW_PX_MIN = 320;
export const VIEW_HEIGHT_PX_MIN = 160;
export const SIDE_SIZE = { right: 'trace.details', bottom: 'trace.detailsBottom' } as const;
