/** The ring on which agents choose a server for a name: each server's part of it, and where a name goes. */
import { clusterWords } from '../words/cluster-words.ts';
import { percent } from '../words/words.ts';

export interface RingPart {
  /** As in the list beside it. */
  readonly number: number;
  readonly name: string;
  readonly share: number;
  /** Who is asked for the name first, second, third; 0 where there is none. */
  readonly turn: number;
}

const OUTER = 100;
const INNER = 66;
/** Between two parts, of the whole ring. */
const GAP = 0.004;

export function Ring({
  parts,
  name,
}: {
  readonly parts: readonly RingPart[];
  readonly name: string;
}) {
  const say = clusterWords.value;
  const told = parts.map((part) => `${part.name} ${percent(part.share)}`).join(', ');
  let at = 0;
  return (
    <svg class="ring" viewBox="-104 -104 208 208" role="img" aria-label={say.ringIs(told)}>
      {parts.map((part) => {
        const from = at;
        at += part.share;
        const middle = from + part.share / 2;
        const [x, y] = pointAt(middle, (OUTER + INNER) / 2);
        return (
          <g key={part.name} class={part.turn === 1 ? 'part first' : 'part'}>
            <path d={pieceOf(from, at, parts.length > 1)} />
            <text x={x} y={y}>
              {part.number}
            </text>
          </g>
        );
      })}
      <text class="middle" y={name === '' ? 0 : -8}>
        {name === '' ? say.shares : say.goesTo}
      </text>
      {name !== '' && (
        <text class="middle strong" y={14}>
          {parts.find(({ turn }) => turn === 1)?.number ?? '–'}
        </text>
      )}
    </svg>
  );
}

/** From one share of the way around to another, clockwise from above. */
function pieceOf(from: number, to: number, hasGap: boolean): string {
  // One that goes all the way around begins and ends in one point, between which SVG draws nothing.
  const [begin, end] = hasGap ? [from + GAP / 2, to - GAP / 2] : [0, 0.9999];
  const large = end - begin > 0.5 ? 1 : 0;
  const outer = `M${pointAt(begin, OUTER)}A${OUTER} ${OUTER} 0 ${large} 1 ${pointAt(end, OUTER)}`;
  return `${outer}L${pointAt(end, INNER)}A${INNER} ${INNER} 0 ${large} 0 ${pointAt(begin, INNER)}Z`;
}

function pointAt(share: number, radius: number): readonly [number, number] {
  const angle = share * 2 * Math.PI;
  return [round(radius * Math.sin(angle)), round(-radius * Math.cos(angle))];
}

function round(n: number): number {
  return Math.round(n * 100) / 100;
}
