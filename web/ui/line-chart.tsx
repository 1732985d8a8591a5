/** Values over time, as lines: what is not known leaves a gap. What they say stands below in words too. */
import { exact } from '../words/times.ts';

export interface Line {
  readonly name: string;
  readonly points: readonly (readonly [at: number, value: number | undefined])[];
}

interface LineChartProps {
  readonly title: string;
  /** The first is drawn boldly. */
  readonly lines: readonly Line[];
  readonly show: (value: number) => string;
}

const WIDTH = 600;
const HEIGHT = 120;

export function LineChart({ title, lines, show }: LineChartProps) {
  const values = lines.flatMap(({ points }) => points.flatMap(([, value]) => value ?? []));
  const most = Math.max(...values, 0);
  const times = lines.flatMap(({ points }) => points.map(([at]) => at));
  const [from, to] = [Math.min(...times), Math.max(...times)];
  const x = (at: number) => (to === from ? WIDTH : ((at - from) / (to - from)) * WIDTH);
  const y = (value: number) => HEIGHT - (most === 0 ? 0 : (value / most) * (HEIGHT - 8));
  return (
    <figure class="line-chart">
      <figcaption>
        <strong>{title}</strong>
        {lines.map(({ name, points }, i) => (
          <span key={name} class={`aside line-${i}`}>
            {name} {lastOf(points, show)}
          </span>
        ))}
        <span class="aside">{show(most)} ↑</span>
      </figcaption>
      <svg viewBox={`0 -2 ${WIDTH} ${HEIGHT + 4}`} preserveAspectRatio="none" aria-hidden="true">
        <path class="ground" d={`M0 ${HEIGHT}H${WIDTH}`} />
        {lines.toReversed().map(({ name, points }, i) => (
          <path
            key={name}
            class={`line-${lines.length - 1 - i}`}
            d={pathOf(
              points.map(([at, value]) => [x(at), value === undefined ? undefined : y(value)]),
            )}
          />
        ))}
      </svg>
      {times.length > 0 && (
        <div class="aside ends">
          <span>{exact(from)}</span>
          <span>{exact(to)}</span>
        </div>
      )}
    </figure>
  );
}

function lastOf(points: Line['points'], show: (value: number) => string): string {
  const last = points.findLast(([, value]) => value !== undefined)?.[1];
  return last === undefined ? '' : show(last);
}

/** One that stands alone is a dot. */
function pathOf(points: readonly (readonly [number, number | undefined])[]): string {
  let path = '';
  let isDrawing = false;
  for (const [x, y] of points) {
    if (y === undefined) {
      isDrawing = false;
      continue;
    }
    const [left, top] = [x.toFixed(1), y.toFixed(1)];
    path += isDrawing ? `L${left} ${top}` : `M${left} ${top}h0.1`;
    isDrawing = true;
  }
  return path;
}
