/** Services as boxes, in layers from left to right, with a line for each call: solid, dashed, dotted by what is decided. */
import type { ComponentChildren } from 'preact';
import { useMemo } from 'preact/hooks';
import { type Place, placesOf } from '../core/layers.ts';
import { go } from '../core/router.ts';
import type { Call } from '../core/topology.ts';
import { type Known, Shape } from './status.tsx';

const WIDTH = 168;
const HEIGHT = 34;
const ACROSS = 110;
const DOWN = 14;
const EDGE = 8;
const MAX_LETTERS = 19;

export interface GraphProps {
  readonly label: string;
  readonly names: readonly string[];
  readonly calls: readonly Call[];
  readonly statusOf: (name: string) => Known;
  readonly hrefOf: (name: string) => string;
  readonly titleOf: (name: string) => string;
  readonly callHref: (call: Call) => string;
  readonly callTitle: (call: Call) => string;
  /** The one that is looked at. */
  readonly focus: string;
}

interface Spot {
  readonly x: number;
  readonly y: number;
}

export function Graph(props: GraphProps) {
  const { label, names, calls, focus } = props;
  const { spots, width, height } = useMemo(() => laidOut(placesOf(names, calls)), [names, calls]);
  return (
    <div class="graph">
      <svg
        viewBox={`0 0 ${width} ${height}`}
        width={width}
        height={height}
        role="group"
        aria-label={label}
      >
        {calls.map((call) => (
          <Line key={`${call.from}\0${call.to}`} {...props} call={call} spots={spots} />
        ))}
        {[...spots].map(([name, { x, y }]) => (
          <SvgLink
            key={name}
            to={props.hrefOf(name)}
            kind={name === focus ? 'box focus' : 'box'}
            title={props.titleOf(name)}
          >
            <rect x={x} y={y} width={WIDTH} height={HEIGHT} rx="6" />
            <g transform={`translate(${x + 9} ${y + 10})`}>
              <Shape status={props.statusOf(name)} />
            </g>
            <text x={x + 30} y={y + HEIGHT / 2}>
              {name.length > MAX_LETTERS ? `${name.slice(0, MAX_LETTERS - 1)}…` : name}
            </text>
          </SvgLink>
        ))}
      </svg>
    </div>
  );
}

interface LineProps extends GraphProps {
  readonly call: Call;
  readonly spots: ReadonlyMap<string, Spot>;
}

function Line({ call, spots, callHref, callTitle }: LineProps) {
  const [from, to] = [spots.get(call.from), spots.get(call.to)];
  if (from === undefined || to === undefined) return null;
  const [x1, y1] = [from.x + WIDTH, from.y + HEIGHT / 2];
  const [x2, y2] = [to.x - EDGE, to.y + HEIGHT / 2];
  const bend = Math.max(40, Math.abs(x2 - x1) / 2);
  const path = `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`;
  return (
    <SvgLink
      to={callHref(call)}
      kind={`line ${call.decision}${call.isCalled ? '' : ' unused'}`}
      title={callTitle(call)}
      // The table below has all of them for whoever has no pointer: here they would be hundreds.
      isSkipped={true}
    >
      <path class="touch" d={path} />
      <path class="stroke" d={path} />
      <path class="tip" d={`M${x2} ${y2 - 5}L${x2 + EDGE} ${y2}L${x2} ${y2 + 5}Z`} />
      <Sign of={call.decision} x={(x1 + x2) / 2} y={(y1 + y2) / 2} />
    </SvgLink>
  );
}

/** In the middle of a line: what is denied is crossed out, what depends on the request is asked. */
function Sign({ of, x, y }: Spot & { readonly of: Call['decision'] }) {
  if (of !== 'deny' && of !== 'requests') return null;
  return (
    <g class="sign" transform={`translate(${x} ${y})`}>
      <circle r="8" />
      {of === 'deny' ? <path d="M-4 -4 4 4M4 -4-4 4" /> : <text>?</text>}
    </g>
  );
}

interface SvgLinkProps {
  readonly to: string;
  readonly kind: string;
  readonly title: string;
  readonly isSkipped?: boolean;
  readonly children: ComponentChildren;
}

/** A link of SVG is none of HTML: the page follows it itself, unless it is to be opened elsewhere. */
export function SvgLink({ to, kind, title, isSkipped = false, children }: SvgLinkProps) {
  return (
    <a
      href={to}
      class={kind}
      tabindex={isSkipped ? -1 : undefined}
      onClick={(event) => {
        const { button, metaKey, ctrlKey, shiftKey, altKey } = event;
        if (button !== 0 || metaKey || ctrlKey || shiftKey || altKey) return;
        event.preventDefault();
        go(to);
      }}
    >
      <title>{title}</title>
      {children}
    </a>
  );
}

/** Each layer in the middle of the highest one. */
function laidOut(places: readonly Place[]) {
  const counts = new Map<number, number>();
  for (const { layer } of places) counts.set(layer, (counts.get(layer) ?? 0) + 1);
  const rows = Math.max(1, ...counts.values());
  const layers = Math.max(1, counts.size);
  const height = rows * (HEIGHT + DOWN) + DOWN;
  const spots = new Map<string, Spot>();
  for (const { name, layer, row } of places) {
    const above = ((rows - (counts.get(layer) ?? 0)) * (HEIGHT + DOWN)) / 2;
    spots.set(name, {
      x: DOWN + layer * (WIDTH + ACROSS),
      y: DOWN + above + row * (HEIGHT + DOWN),
    });
  }
  return { spots, width: layers * (WIDTH + ACROSS) - ACROSS + 2 * DOWN, height };
}
