// From what is drawn and where to the nodes and edges of the graph component.

import type { MapState } from '../../url/index.ts';
import type { CallFlowEdge } from './CallEdge.tsx';
import { type Drawn, isFound } from './calls.ts';
import { NODE, type Placed } from './geometry.ts';
import type { RestFlowNode, ServiceFlowNode } from './ServiceNode.tsx';
import { callLabel, scaleOf } from './scale.ts';

const NOWHERE = { path: '', tip: { x: 0, y: 0 }, angle: 0, label: { x: 0, y: 0 } };
export const REST_ID = '\u0000rest';

type Looked = Pick<MapState, 'metric' | 'find' | 'selected' | 'focus'> & {
  readonly tabStop: string | null;
  /** The service under the pointer or with the focus of the keyboard. */
  readonly near: string | null;
};

export function flowOf(
  drawn: Drawn,
  placed: Placed,
  looked: Looked,
): { nodes: (ServiceFlowNode | RestFlowNode)[]; edges: CallFlowEdge[] } {
  const { metric, find, selected, focus, tabStop, near } = looked;
  const scale = scaleOf(drawn, metric);
  // What stands out: around the service that is looked at, or the selected calls.
  const centre = near ?? (selected.length === 1 ? (selected[0] ?? null) : null);
  const isLit = (caller: string, callee: string): boolean =>
    centre !== null
      ? caller === centre || callee === centre
      : selected.length < 2 || (caller === selected[0] && callee === selected[1]);
  const lit = new Set(
    drawn.calls.filter(({ caller, callee }) => isLit(caller, callee)).flatMap(({ caller, callee }) => [caller, callee]),
  );
  const isPlain = centre === null && selected.length < 2;
  const nodes: (ServiceFlowNode | RestFlowNode)[] = drawn.services.map((service) => {
    const at = placed.nodes.get(service.name) ?? { x: 0, y: 0 };
    return {
      id: service.name,
      type: 'service' as const,
      position: { x: at.x - NODE.width / 2, y: at.y - NODE.height / 2 },
      ...NODE,
      data: {
        service,
        metric,
        shade: scale.shade(service),
        isTabStop: service.name === tabStop,
        isSelected: selected.length === 1 && selected[0] === service.name,
        isFocus: service.name === focus,
        isFound: find.trim() === '' ? null : isFound(service.name, find),
        isQuiet: !isPlain && service.name !== centre && !lit.has(service.name),
      },
    };
  });
  if (drawn.rest.length > 0) {
    nodes.push({
      id: REST_ID,
      type: 'rest',
      position: { x: 12, y: placed.height + 12 },
      ...NODE,
      data: { count: drawn.rest.length },
    });
  }
  const edges = drawn.calls.map((call): CallFlowEdge => {
    const isOn = isLit(call.caller, call.callee);
    return {
      id: call.id,
      type: 'call',
      source: call.caller,
      target: call.callee,
      // Above the others, so that a dim line never crosses a lit one.
      zIndex: isOn && !isPlain ? 1 : 0,
      data: {
        call,
        placed: placed.calls.get(call.id) ?? NOWHERE,
        shade: scale.shade(call),
        width: scale.width(call),
        label: (isPlain ? placed.isLabelled : isOn) ? callLabel(call, metric) : null,
        isSelected: selected.length === 2 && call.caller === selected[0] && call.callee === selected[1],
        isQuiet: !isOn,
        isErrors: metric === 'errors',
      },
    };
  });
  return { nodes, edges };
}
