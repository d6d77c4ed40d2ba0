// The map as a picture. Loaded when it is first shown: the graph component and its styles are its largest part.
//
// It is one stop of the tabulator; arrow keys walk from service to service, Enter selects, and selecting again focuses.

import '@xyflow/react/dist/base.css';
import { ReactFlow, type ReactFlowInstance } from '@xyflow/react';
import { Maximize, Minus, Plus } from 'lucide-react';
import { type FocusEvent, type KeyboardEvent, useEffect, useMemo, useRef, useState } from 'react';
import { commandsOf, useCommands } from '../../core/commands.ts';
import { IconButton } from '../../ui/IconButton/IconButton.tsx';
import type { MapState } from '../../url/index.ts';
import { CallEdge, type CallFlowEdge } from './CallEdge.tsx';
import type { Drawn, Service } from './calls.ts';
import { MAP_COMMANDS } from './commands.ts';
import { flowOf, REST_ID } from './flow.ts';
import css from './Graph.module.css';
import { NODE, type Placed } from './geometry.ts';
import { Legend } from './Legend.tsx';
import { type RestFlowNode, RestNode, type ServiceFlowNode, ServiceNode } from './ServiceNode.tsx';
import { scaleOf } from './scale.ts';
import { text } from './text.ts';
import type { ChangeMap } from './useMap.ts';
import { type Direction, stepFrom } from './walk.ts';

const nodeTypes = { service: ServiceNode, rest: RestNode };
const edgeTypes = { call: CallEdge };
const ARROWS: { readonly [key: string]: Direction } = {
  ArrowLeft: 'left',
  ArrowRight: 'right',
  ArrowUp: 'up',
  ArrowDown: 'down',
};
const NARROW = 640;
const FIT = { padding: 0.06, maxZoom: 1, minZoom: 0.1 };

/** Moved so far that no room beside the picture is shown, where it is larger than the view. */
function within(offset: number, end: number): number {
  return end >= 0 ? end / 2 : Math.min(0, Math.max(end, offset));
}

export type GraphProps = {
  drawn: Drawn;
  placed: Placed;
  state: MapState;
  change: ChangeMap;
  onRest: () => void;
  /** The service to show and to give the focus: the match that was asked for. */
  wanted: { name: string } | null;
};

type Flow = ReactFlowInstance<ServiceFlowNode | RestFlowNode, CallFlowEdge>;

function serviceOf(target: EventTarget | null): string | null {
  return target instanceof Element ? (target.closest<HTMLElement>('[data-service]')?.dataset['service'] ?? null) : null;
}

export function Graph({ drawn, placed, state, change, onRest, wanted }: GraphProps) {
  const box = useRef<HTMLDivElement>(null);
  const [flow, setFlow] = useState<Flow | null>(null);
  const [stop, setStop] = useState<string | null>(null);
  const [near, setNear] = useState<string | null>(null);
  const { metric, find, selected, focus } = state;
  const has = (name: string | null | undefined): name is string =>
    name !== null && name !== undefined && placed.nodes.has(name);
  const busiest = drawn.services.reduce<Service | null>((a, b) => (a === null || b.rate > a.rate ? b : a), null);
  const tabStop = [stop, selected[0], focus, busiest?.name].find(has) ?? null;
  const { nodes, edges } = useMemo(
    () => flowOf(drawn, placed, { metric, find, selected, focus, tabStop, near }),
    [drawn, placed, metric, find, selected, focus, tabStop, near],
  );
  const scale = useMemo(() => scaleOf(drawn, metric), [drawn, metric]);

  async function showWhole(isFirst: boolean) {
    if (flow === null) return;
    await flow.fitView(FIT);
    // Where the whole is too small to read it begins at what is looked at.
    const [width, height] = [box.current?.clientWidth ?? 0, box.current?.clientHeight ?? 0];
    const [least, zoom] = width < NARROW ? [0.8, 0.8] : [0.3, 0.5];
    const at = placed.nodes.get(tabStop ?? '');
    if (!isFirst || at === undefined || flow.getZoom() >= least) return;
    const x = within(width / 2 - at.x * zoom, width - placed.width * zoom);
    await flow.setViewport({ x, y: within(height / 2 - at.y * zoom, height - placed.height * zoom), zoom });
  }

  // Another picture is shown whole.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the layout stands for what is drawn
  useEffect(() => {
    const frame = requestAnimationFrame(() => void showWhole(true));
    return () => cancelAnimationFrame(frame);
  }, [flow, placed]);

  function show(name: string) {
    const at = placed.nodes.get(name);
    const size = box.current?.getBoundingClientRect();
    if (at === undefined || size === undefined || flow === null) return;
    const { x, y, zoom } = flow.getViewport();
    const [left, top] = [at.x * zoom + x, at.y * zoom + y];
    const [marginX, marginY] = [NODE.width * zoom * 0.6, NODE.height * zoom];
    const isSeen =
      left > marginX && left < size.width - marginX && top > marginY && top < size.height - marginY && zoom > 0.5;
    if (!isSeen) void flow.setCenter(at.x, at.y, { zoom: Math.max(0.75, zoom) });
  }
  function focusNode(name: string) {
    setStop(name);
    show(name);
    const node = box.current?.querySelector<HTMLElement>(`[data-service="${CSS.escape(name)}"]`);
    node?.focus({ preventScroll: true });
  }
  // biome-ignore lint/correctness/useExhaustiveDependencies: acts once for each wish
  useEffect(() => {
    if (wanted && has(wanted.name)) {
      setStop(wanted.name);
      show(wanted.name);
    }
  }, [wanted]);

  // The panel takes room when something is selected.
  // biome-ignore lint/correctness/useExhaustiveDependencies: when another service is selected
  useEffect(() => {
    const [name, second] = selected;
    if (second !== undefined || !has(name)) return;
    const frame = requestAnimationFrame(() => show(name));
    return () => cancelAnimationFrame(frame);
  }, [selected[0], selected[1]]);

  function select(name: string) {
    // Once more: around it.
    if (selected.length === 1 && selected[0] === name && focus !== name) change({ focus: name });
    else change({ selected: [name] }, { replace: true });
  }
  function key(event: KeyboardEvent<HTMLElement>) {
    const name = serviceOf(event.target);
    const direction = ARROWS[event.key];
    if (name === null || direction === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const next = stepFrom(name, direction, drawn, placed);
    if (next !== null) focusNode(next);
  }
  function focused(event: FocusEvent<HTMLElement>) {
    const name = serviceOf(event.target);
    if (name === null || !(event.target instanceof Element) || !event.target.matches(':focus-visible')) return;
    setStop(name);
    setNear(name);
    show(name);
  }

  useCommands(
    commandsOf(MAP_COMMANDS, {
      'map.fit': () => void showWhole(false),
      'map.in': () => void flow?.zoomIn(),
      'map.out': () => void flow?.zoomOut(),
    }),
  );

  return (
    // biome-ignore lint/a11y/useSemanticElements: a group of buttons that are no form
    <div
      ref={box}
      role="group"
      aria-label={text.graphLabel}
      className={css['graph']}
      onKeyDown={key}
      onFocus={focused}
      onBlur={() => setNear(null)}
    >
      <div className={css['flow']}>
        <ReactFlow<ServiceFlowNode | RestFlowNode, CallFlowEdge>
          nodes={nodes}
          edges={edges}
          nodeTypes={nodeTypes}
          edgeTypes={edgeTypes}
          onInit={setFlow}
          onNodeClick={(_, node) => (node.id === REST_ID ? onRest() : select(node.id))}
          onNodeMouseEnter={(_, node) => setNear(node.id === REST_ID ? null : node.id)}
          onNodeMouseLeave={() => setNear(null)}
          onEdgeClick={(_, edge) => change({ selected: [edge.source, edge.target] }, { replace: true })}
          onPaneClick={() => selected.length > 0 && change({ selected: [] }, { replace: true })}
          fitView
          fitViewOptions={FIT}
          minZoom={0.1}
          maxZoom={2}
          nodesDraggable={false}
          nodesConnectable={false}
          nodesFocusable={false}
          edgesFocusable={false}
          elementsSelectable={false}
          disableKeyboardA11y
          zoomOnDoubleClick={false}
          deleteKeyCode={null}
          selectionKeyCode={null}
          multiSelectionKeyCode={null}
          panActivationKeyCode={null}
          proOptions={{ hideAttribution: true }}
        />
      </div>
      <Legend metric={metric} scale={scale} drawn={drawn} />
      <div className={css['zoom']}>
        <IconButton icon={Plus} label={text.zoomIn} keys="w" onPress={() => void flow?.zoomIn()} />
        <IconButton icon={Minus} label={text.zoomOut} keys="s" onPress={() => void flow?.zoomOut()} />
        <IconButton icon={Maximize} label={text.fit} keys="0" onPress={() => void showWhole(false)} />
      </div>
    </div>
  );
}
