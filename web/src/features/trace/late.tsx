// What comes after the first rows: tools, keys, minimap, legend, menu. One piece, fetched at the same time as the trace,
// so that rows do not wait for it.

export { HeaderMenu } from './header/HeaderMenu.tsx';
export { Warnings } from './header/Warnings.tsx';
export { Minimap } from './minimap/Minimap.tsx';
export { Legend } from './toolbar/Legend.tsx';
export { Toolbar } from './toolbar/Toolbar.tsx';
export { TraceKeys } from './useTraceKeys.ts';
export { WaterfallKeys } from './waterfall/useWaterfallKeys.ts';
