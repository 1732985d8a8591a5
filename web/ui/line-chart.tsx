/**
 * Values over time, as lines: what is not known leaves a gap. A cursor says exactly what they were at a moment, and when
 * that was: by the pointer, or by keys, as a slider, which is what a screen reader takes it for.
 */
import { useRef, useState } from 'preact/hooks';
import * as chart from '../core/chart.ts';
import { performanceWords } from '../words/performance-words.ts';
import { exact, timeOfDay } from '../words/times.ts';

export interface Line {
  readonly name: string;
  /** At each of the times. */
  readonly values: readonly (number | null)[];
}

interface LineChartProps {
  readonly title: string;
  readonly times: readonly number[];
  /** The first is drawn boldly. */
  readonly lines: readonly Line[];
  /** In few digits, and exactly. */
  readonly show: (value: number | null) => string;
  readonly tell: (value: number | null) => string;
}

/** How much of what is in sight is left, or comes to be. */
const CLOSER = 0.5;
const FURTHER = 2;

export function LineChart({ title, times, lines, show, tell }: LineChartProps) {
  const say = performanceWords.value;
  const looks = useLooks(times, latestOf(lines));
  const { span, at, isAtCursor } = looks;
  const time = times[at];
  if (time === undefined) return null;
  const values = lines.map(({ name, values: of }) => [name, tell(of[at] ?? null)] as const);
  const most = chart.mostOf(times, lines, span);
  return (
    <figure class="line-chart">
      <figcaption>
        <strong>{title}</strong>
        {values.map(([name, value], i) => (
          <span key={name} class={`key line-${i}`}>
            {lines.length > 1 && name} <b>{value}</b>
          </span>
        ))}
        <span class="aside">{exact(time)}</span>
        {looks.isZoomed && (
          <button class="quiet" type="button" onClick={looks.whole}>
            {say.whole}
          </button>
        )}
      </figcaption>
      <div
        class="plot"
        role="slider"
        tabIndex={0}
        title={say.keys}
        aria-label={title}
        aria-valuemin={0}
        aria-valuemax={times.length - 1}
        aria-valuenow={at}
        aria-valuetext={`${exact(time)}: ${values.map((each) => each.join(' ')).join(', ')}`}
        {...looks.hears}
      >
        <span class="aside most">{show(most)}</span>
        <Drawing
          {...{ times, lines, span, most }}
          at={isAtCursor ? at : undefined}
          over={looks.over}
        />
      </div>
      <div class="aside ends">
        <span title={exact(span.from)}>{timeOfDay(span.from)}</span>
        <span title={exact(span.to)}>{timeOfDay(span.to)}</span>
      </div>
    </figure>
  );
}

interface DrawingProps extends Pick<LineChartProps, 'times' | 'lines'> {
  readonly span: chart.Span;
  readonly most: number;
  readonly at: number | undefined;
  readonly over: chart.Span | undefined;
}

function Drawing({ times, lines, span, most, at, over }: DrawingProps) {
  const { WIDTH, HEIGHT } = chart;
  const drawn = lines.map(({ values }) => chart.pathOf(times, values, { span, most }));
  const x = at === undefined ? undefined : chart.xOf(times[at] ?? 0, span).toFixed(1);
  return (
    <svg viewBox={`0 -4 ${WIDTH} ${HEIGHT + 10}`} preserveAspectRatio="none" aria-hidden="true">
      <path class="ground" d={`M0 ${HEIGHT}H${WIDTH}`} />
      {over !== undefined && (
        <path
          class="over"
          d={`M${chart.xOf(over.from, span)} 0V${HEIGHT}H${chart.xOf(over.to, span)}V0Z`}
        />
      )}
      {x !== undefined && <path class="cursor" d={`M${x} 0V${HEIGHT}`} />}
      {drawn
        .map((path, i) => <path key={lines[i]?.name} class={`line-${i}`} d={path} />)
        .toReversed()}
      {lines.map(({ name, values }, i) => {
        const value = at === undefined ? undefined : values[at];
        if (typeof value !== 'number') return null;
        const top = chart.yOf(value, most).toFixed(1);
        return <path key={name} class={`dot line-${i}`} d={`M${x} ${top}h0.1`} />;
      })}
    </svg>
  );
}

/** What is the newest that is known: of the last step it may not be told yet. */
function latestOf(lines: readonly Line[]): number {
  const [first] = lines;
  const known = (first?.values ?? []).findLastIndex((_, i) =>
    lines.some(({ values }) => typeof values[i] === 'number'),
  );
  return known < 0 ? (first?.values.length ?? 0) - 1 : known;
}

/** Which part is in sight, and where the cursor is: at a time, for what is told goes on. */
function useLooks(times: readonly number[], latest: number) {
  const [cursor, setCursor] = useState<number>();
  const [part, setPart] = useState<chart.Span>();
  const [over, setOver] = useState<chart.Span>();
  const begun = useRef<number | undefined>(undefined);
  const whole = chart.wholeOf(times);
  const span = part === undefined ? whole : chart.still(part, whole);
  const last = times.length - 1;
  const at = cursor === undefined ? latest : chart.nearest(times, cursor);
  const moveTo = (to: number) => {
    const time = times[Math.max(0, Math.min(to, last))] ?? whole.to;
    setCursor(time);
    if (part !== undefined) setPart(chart.showing(span, time));
  };
  const zoom = (by: number) => setPart(chart.zoomed(span, whole, by, times[at] ?? whole.to));
  const pointed = (event: PointerEvent & { readonly currentTarget: HTMLElement }) => {
    const { left, width } = event.currentTarget.getBoundingClientRect();
    return chart.timeAt((event.clientX - left) / width, span);
  };
  const drop = () => {
    setOver(undefined);
    begun.current = undefined;
  };
  type Pointed = Parameters<typeof pointed>[0];
  const hears = {
    onKeyDown: (event: KeyboardEvent) => {
      // Those are the browser's: back, and how large the page is.
      if (event.ctrlKey || event.altKey || event.metaKey) return;
      const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: last }[event.key];
      if (to !== undefined) moveTo(to);
      else if (event.key === '+' || event.key === '=') zoom(CLOSER);
      else if (event.key === '-') zoom(FURTHER);
      else if (event.key === 'Escape') setPart(undefined);
      else return;
      event.preventDefault();
    },
    onBlur: () => setCursor(undefined),
    onPointerDown: (event: Pointed) => {
      if (event.button !== 0) return;
      // A finger scrolls, and moves the cursor.
      if (event.pointerType !== 'touch') begun.current = pointed(event);
      event.currentTarget.setPointerCapture(event.pointerId);
    },
    onPointerMove: (event: Pointed) => {
      const time = pointed(event);
      setCursor(time);
      // A menu of the browser may have had the end of it.
      if (event.buttons === 0) drop();
      if (begun.current !== undefined) setOver({ from: begun.current, to: time });
    },
    onPointerUp: () => {
      if (over !== undefined) setPart(chart.within(over, whole, part));
      drop();
    },
    onLostPointerCapture: drop,
    onPointerLeave: () => setCursor(undefined),
  };
  const isZoomed = span !== whole;
  return {
    span,
    at,
    over,
    isZoomed,
    isAtCursor: cursor !== undefined,
    hears,
    whole: () => setPart(undefined),
  };
}
