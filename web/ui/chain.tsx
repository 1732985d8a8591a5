/** What calls to a service come to: its discovery chain drawn in layers, and the same in words. */
import '../style/chain.css';
import { useMemo } from 'preact/hooks';
import { withQuery } from '../core/asked-path.ts';
import { drawingOf, TIP, type Way } from '../core/drawing.ts';
import { useLive } from '../core/live.ts';
import { href } from '../core/router.ts';
import {
  type ChainAnswer,
  type Label,
  type Lead,
  type Part,
  type RouteMatch,
  routingOf,
} from '../core/routing.ts';
import { routingWords } from '../words/routing-words.ts';
import { uiWords } from '../words/ui-words.ts';
import { SvgLink } from './graph.tsx';
import { Shown } from './shown.tsx';

export function Chain({ name }: { readonly name: string }) {
  const live = useLive<ChainAnswer>(`/v1/discovery-chain/${encodeURIComponent(name)}`);
  return <Shown of={live}>{(answer) => <Routing name={name} answer={answer} />}</Shown>;
}

interface RoutingProps {
  readonly name: string;
  readonly answer: ChainAnswer;
}

function Routing({ name, answer }: RoutingProps) {
  const say = routingWords.value;
  const { parts, leads } = useMemo(() => routingOf(answer), [answer]);
  const isPlain = parts.every(({ kind, isDefault }) => kind === 'target' || isDefault);
  const here = answer.Chain.Datacenter;
  const byId = new Map(parts.map((part) => [part.id, part]));
  const titleOf = (id: string) => {
    const part = byId.get(id);
    return part === undefined ? id : titleIn(part, here);
  };
  return (
    <>
      <p class="aside">
        {say.protocol(answer.Chain.Protocol)} {isPlain && say.plain}{' '}
        <a href={withQuery(href('config'), { filter: name })}>{say.config}</a>
      </p>
      <Drawing name={name} parts={parts} leads={leads} here={here} />
      <details class="chain-in-words">
        <summary>{say.inWords}</summary>
        <ul>
          {leads.map(({ from, to, label }, i) => (
            <li key={i}>{say.leads(titleOf(from), titleOf(to), labelInWords(label))}</li>
          ))}
        </ul>
      </details>
    </>
  );
}

const SIZES = { width: 190, height: 46, across: 150, down: 22 } as const;
const BOX = { width: SIZES.width, height: SIZES.height } as const;

interface DrawingProps {
  readonly name: string;
  readonly parts: readonly Part[];
  readonly leads: readonly Lead[];
  readonly here: string;
}

function Drawing({ name, parts, leads, here }: DrawingProps) {
  const say = routingWords.value;
  const { boxes, ways, width, height } = useMemo(() => {
    const ids = parts.map(({ id }) => id);
    return drawingOf(ids, leads, SIZES);
  }, [parts, leads]);
  return (
    <div class="chain">
      <svg
        viewBox={`0 0 ${width} ${height}`}
        width={width}
        height={height}
        role="group"
        aria-label={say.drawing(name)}
      >
        {leads.map((lead, i) => (
          <LeadLine key={i} lead={lead} way={ways.get(lead)} />
        ))}
        {parts.map((part) => {
          const { x, y } = boxes.get(part.id) ?? { x: 0, y: 0 };
          return (
            <SvgLink
              key={part.id}
              to={hrefOf(part)}
              kind={`part ${part.kind}`}
              title={titleIn(part, here)}
            >
              <rect x={x} y={y} {...BOX} rx={part.kind === 'target' ? 20 : 6} />
              <text class="kind" x={x + 14} y={y + 15}>
                {say.kinds[part.kind]}
                {part.isDefault && ` (${say.isDefault})`}
              </text>
              <text x={x + 14} y={y + 32}>
                {cut(nameIn(part, here))}
              </text>
            </SvgLink>
          );
        })}
      </svg>
    </div>
  );
}

const MAX_LETTERS = 22;

function cut(text: string): string {
  return text.length > MAX_LETTERS ? `${text.slice(0, MAX_LETTERS - 1)}…` : text;
}

interface LeadLineProps {
  readonly lead: Lead;
  readonly way: Way | undefined;
}

function LeadLine({ lead, way }: LeadLineProps) {
  const [a, b] = way?.bends.at(-1) ?? [];
  if (way === undefined || a === undefined || b === undefined) return null;
  const { path, end } = way;
  return (
    <g class={`lead ${lead.label.kind}`}>
      <path d={path} />
      <path
        class="tip"
        d={`M${end.x} ${end.y - 5}L${end.x + TIP} ${end.y}L${end.x} ${end.y + 5}Z`}
      />
      <text x={a.x + (b.x - a.x) * 0.6} y={a.y + (b.y - a.y) * 0.66 - 5}>
        {cut(labelInWords(lead.label))}
      </text>
    </g>
  );
}

/** To the entry that says it, or to the service whose instances they are. */
function hrefOf({ kind, service, isDefault }: Part): string {
  if (kind === 'target' || isDefault) return href('services', service);
  return href('config', `service-${kind}`, service);
}

function nameIn({ service, subset, datacenter }: Part, here: string): string {
  const far = datacenter === '' || datacenter === here ? [] : [datacenter];
  return [service, ...(subset === '' ? [] : [subset]), ...far].join(' · ');
}

function titleIn(part: Part, here: string): string {
  return `${routingWords.value.kinds[part.kind]} ${nameIn(part, here)}`;
}

function labelInWords(label: Label): string {
  const say = routingWords.value;
  if (label.kind === 'route') return matchInWords(label.match);
  if (label.kind === 'share') return say.share(label.percent);
  return label.kind === 'failover' ? say.failover(label.turn) : '';
}

function matchInWords({ PathExact, PathPrefix, PathRegex, ...rest }: RouteMatch): string {
  const say = routingWords.value;
  const isAll = PathPrefix === '/' || (!PathExact && !PathPrefix && !PathRegex);
  const path = [
    ...(PathExact ? [say.exact(PathExact)] : []),
    ...(PathPrefix && PathPrefix !== '/' ? [say.prefix(PathPrefix)] : []),
    ...(PathRegex ? [say.regex(PathRegex)] : []),
  ];
  const more = [
    ...(rest.Methods?.length ? [rest.Methods.join(' ')] : []),
    ...(rest.Header ?? []).map(({ Name }) => say.header(Name)),
    ...(rest.QueryParam ?? []).map(({ Name }) => say.param(Name)),
  ];
  if (isAll && more.length === 0) return say.every;
  return [...path, ...more].join(uiWords.value.comma);
}
