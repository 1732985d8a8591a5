/** How long the answers of a process take, row by row, and how many there are of each kind. */
import { counter, type Metric, timing } from '../metrics/metric.ts';
import { Sample } from '../metrics/sample.ts';
import type { Route } from './route.ts';

/** Of one row, or of all that is handed on. A row has it at hand: nobody looks for it by name. */
export class RouteTime {
  /** Answered as soon as it could be. */
  readonly answered = new Sample();
  /** Blocking queries, their wait and all. */
  readonly waited = new Sample();
  readonly #said: (status: number) => void;

  constructor(said: (status: number) => void) {
    this.#said = said;
  }

  /** An answer, by whichever way: none has a time and is missing among those of its status. */
  took(ms: number, status: number, hasWaited = false): void {
    this.#said(status);
    (hasWaited ? this.waited : this.answered).observe(ms);
  }
}

/** A row, and where it is noted how long its answers take. */
export type TimedRoute = Route & { readonly time: RouteTime };

/** By the first digit of its status. */
const CLASSES = [2, 3, 4, 5] as const;

export class RouteTimes {
  readonly #rows = new Map<string, { readonly row: NamedRow; readonly time: RouteTime }>();
  /** How many answers there were, by the first digit of the status. */
  readonly #byClass = [0, 0, 0, 0, 0, 0];
  /** What a client agent hands on to a server. */
  readonly handedOn = this.#newTime();

  /** The same row may be served to several kinds of guests: it is one row. */
  of(row: NamedRow): RouteTime {
    const key = `${row.method} ${row.path}`;
    const known = this.#rows.get(key) ?? { row, time: this.#newTime() };
    this.#rows.set(key, known);
    return known.time;
  }

  /** One that has no time: see RouteTime.took. */
  answeredWith(status: number): void {
    const digit = Math.trunc(status / 100);
    this.#byClass[digit] = (this.#byClass[digit] ?? 0) + 1;
  }

  metrics(): readonly Metric[] {
    const rows = [...this.#rows.values()];
    return [
      ...rows.map(({ row, time }) => consulsTiming(row, time)),
      ...rows.map(({ row: { method, path }, time }) => ownTiming(method, path, time.answered)),
      ownTiming('', '(handed on to a server)', this.handedOn.answered),
      timing(
        'proconsul.http.waited',
        'how long blocking queries waited',
        [...rows.map(({ time }) => time.waited), this.handedOn.waited],
        { buckets: true },
      ),
      ...CLASSES.map((digit) =>
        counter(
          'proconsul.http.answers',
          'answers, by the first digit of their status',
          () => this.#byClass[digit] ?? 0,
          { code: `${digit}xx` },
        ),
      ),
    ];
  }

  #newTime(): RouteTime {
    return new RouteTime((status) => this.answeredWith(status));
  }
}

type NamedRow = Pick<Route, 'method' | 'path'>;

/** Consul's name of a row: http.GET.v1.kv._ for all keys. */
function consulsTiming({ method, path }: NamedRow, { answered, waited }: RouteTime): Metric {
  const dotted = path
    .slice(1)
    .split('/')
    .map((part) => part || '_')
    .join('.');
  return timing(`http.${method}.${dotted}`, `${method} ${path}, waits included`, [
    answered,
    waited,
  ]);
}

function ownTiming(method: string, route: string, sample: Sample): Metric {
  return timing('proconsul.http.request', 'how long answers took that nobody waited for', sample, {
    labels: { method, route },
    buckets: true,
  });
}
