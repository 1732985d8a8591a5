/** Services as boxes, in layers from left to right, with a line for each call: solid, dashed, dotted by what is decided. */
import type { ComponentChildren } from 'preact';
import { useMemo } from 'preact/hooks';
import { drawingOf, type Spot, TIP, type Way } from '../core/drawing.ts';
import { go } from '../core/router.ts';
import type { Call } from '../core/topology.ts';
import { topologyWords } from '../words/topology-words.ts';
import { type Known, Shape } from './status.tsx';

const SIZES = { width: 168, height: 34, across: 96, down: 14 } as const;
const BOX = { width: SIZES.width, height: SIZES.height } as const;
const MAX_LETTERS = 17;
/** So much smaller than it is drawn letters can still be read; what is wider than its place then is scrolled. */
const SMALLEST = 0.75;

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

export function Graph(props: GraphProps) {
  const { label, names, calls, focus } = props;
  const drawing = useMemo(() => drawingOf(names, calls, SIZES), [names, calls]);
  const { boxes, ways, width, height, isStraight } = drawing;
  return (
    <>
      {isStraight && <p class="partial">{topologyWords.value.straight}</p>}
      <div class="graph">
        <svg
          viewBox={`0 0 ${width} ${height}`}
          style={{ width: `max(${width * SMALLEST}px, min(${width}px, 100%))` }}
          role="group"
          aria-label={label}
        >
          {calls.map((call) => (
            <Line key={`${call.from}\0${call.to}`} {...props} call={call} way={ways.get(call)} />
          ))}
          {[...boxes].map(([name, { x, y }]) => (
            <SvgLink
              key={name}
              to={props.hrefOf(name)}
              kind={name === focus ? 'box focus' : 'box'}
              title={props.titleOf(name)}
            >
              <rect x={x} y={y} {...BOX} rx="6" />
              <g transform={`translate(${x + 9} ${y + 10})`}>
                <Shape status={props.statusOf(name)} />
              </g>
              <text x={x + 30} y={y + BOX.height / 2}>
                {name.length > MAX_LETTERS ? `${name.slice(0, MAX_LETTERS - 1)}…` : name}
              </text>
            </SvgLink>
          ))}
        </svg>
      </div>
    </>
  );
}

interface LineProps extends GraphProps {
  readonly call: Call;
  readonly way: Way | undefined;
}

function Line({ call, way, callHref, callTitle }: LineProps) {
  if (way === undefined) return null;
  const { path, end, middle } = way;
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
      <path
        class="tip"
        d={`M${end.x} ${end.y - 5}L${end.x + TIP} ${end.y}L${end.x} ${end.y + 5}Z`}
      />
      <Sign of={call.decision} {...middle} />
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
