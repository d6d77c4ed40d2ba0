// What comes after the first rows: tools, keys and gestures, minimap, legend, menu. One piece, fetched at the same
// time as the trace, so that rows do not wait for it.

export { Splitter } from '../../ui/Splitter/Splitter.tsx';
export { HeaderMenu } from './header/HeaderMenu.tsx';
export { Notices } from './header/Notices.tsx';
export { StartFact } from './header/StartFact.tsx';
export { ViewTabs } from './header/ViewTabs.tsx';
export { Warnings } from './header/Warnings.tsx';
export { Minimap } from './minimap/Minimap.tsx';
export { Legend } from './toolbar/Legend.tsx';
export { Toolbar } from './toolbar/Toolbar.tsx';
export { TraceKeys } from './useTraceKeys.ts';
export { Axis } from './waterfall/Axis.tsx';
export { BarCard } from './waterfall/BarCard.tsx';
export { listenForGestures } from './waterfall/gestures.ts';
export { Marks } from './waterfall/Marks.tsx';
export { NothingLeft } from './waterfall/NothingLeft.tsx';
export { RowsScrollbar } from './waterfall/RowsScrollbar.tsx';
export { toggleEntry } from './waterfall/toggle.ts';
export { WaterfallKeys } from './waterfall/useWaterfallKeys.ts';
