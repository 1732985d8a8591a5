/**
 * Looks at what others hand over: a server's process at the checks of external nodes. They come from
 * whoever may register, so that no link-local address is asked; and they may be very many, so that only
 * so many look at a time, and of one node only a few: one that hangs keeps none but its own waiting.
 */
import type { Cancel, Clock } from '../../lib/clock.ts';
import { NS_PER_MS } from '../../lib/duration.ts';
import { messageOf } from '../../lib/errors.ts';
import type { CheckDefinition } from '../../lib/model.ts';
import { cutOutput } from '../../lib/output-tail.ts';
import type { Random } from '../../lib/random.ts';
import { Slots } from '../../lib/slots.ts';
import { type CheckSpec, checkFromConfig } from '../definitions/check-spec.ts';
import { CheckRunner } from './check-runner.ts';
import { DEFAULT_TIMEOUT_MS, MAX_WORDS_BYTES, MIN_INTERVAL_MS } from './check-times.ts';
import { http1 } from './kinds/http.ts';
import { kindOf } from './kinds/kinds.ts';
import { tcp } from './kinds/tcp.ts';
import { knockProbe } from './knock.ts';
import { Lanes } from './lanes.ts';
import type { Look, Probe } from './probing/probe.ts';

export interface OutlookOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** What is kept of what checks say; 0 keeps nothing. */
  readonly maxOutputBytes: () => number;
}

export interface Machine {
  readonly node: string;
  readonly address: string;
  readonly ports: readonly number[];
}

type Found = (look: Look) => void;

/** At a time: each holds a connection or two. */
const MAX_LOOKS_OF_A_NODE = 16;
/** Whoever says nothing of it, as consul-esm has it. */
const DEFAULT_INTERVAL_MS = 30_000;
/** A longer timeout is cut to this: it would hold its place for as long. */
const MAX_TIMEOUT_MS = 60_000;
/** The first look comes as soon: another server may have looked before, and is gone. */
const SOON_MS = 1000;
const LIFE = { intervalMs: 10_000, timeoutMs: 5000 };

interface Watch {
  readonly node: string;
  readonly probe: Probe;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly found: Found;
}

export class Outlook {
  readonly #options: OutlookOptions;
  readonly #all: Lanes;
  /** By node, while something of it is looked at. */
  readonly #ofNode = new Map<string, { readonly slots: Slots; watches: number }>();

  constructor(options: OutlookOptions) {
    this.#options = options;
    this.#all = new Lanes(options.clock);
  }

  watchCheck(
    node: string,
    { Definition }: Pick<CheckDefinition, 'Definition'>,
    found: Found,
  ): Cancel {
    const maxOutputBytes = this.#options.maxOutputBytes();
    const cut = (look: Look) => {
      const output = cutOutput(look.output, maxOutputBytes + MAX_WORDS_BYTES);
      found({ ...look, output: maxOutputBytes === 0 ? '' : output });
    };
    const spec = specOf(Definition);
    const said = 'fault' in spec ? 0 : spec.Interval / NS_PER_MS;
    const timeoutMs = timeoutOf(spec);
    return this.#watch({
      node,
      probe: probeOf(spec, { maxOutputBytes, timeoutMs }),
      intervalMs: Math.max(said || DEFAULT_INTERVAL_MS, MIN_INTERVAL_MS),
      timeoutMs,
      found: cut,
    });
  }

  watchNode({ node, address, ports }: Machine, found: Found): Cancel {
    return this.#watch({ node, probe: knockProbe(address, ports), ...LIFE, found });
  }

  #watch({ node, probe, intervalMs, timeoutMs, found }: Watch): Cancel {
    const { clock, random } = this.#options;
    const own = this.#ofNode.get(node) ?? { slots: new Slots(MAX_LOOKS_OF_A_NODE), watches: 0 };
    this.#ofNode.set(node, own);
    own.watches++;
    let looked = false;
    const runner: CheckRunner = new CheckRunner({
      clock,
      probe,
      timeoutMs,
      report: found,
      turn: (work) => own.slots.run(() => this.#all.run(work, () => runner.putOff())),
      // After the first one, which comes at once to all, they spread.
      pauseMs: () => {
        const pause = looked ? intervalMs : random.next() * intervalMs;
        looked = true;
        return pause;
      },
    });
    runner.start(random.next() * Math.min(SOON_MS, intervalMs));
    let watching = true;
    return () => {
      if (!watching) return;
      watching = false;
      runner.stop();
      own.watches--;
      if (own.watches === 0 && this.#ofNode.get(node) === own) this.#ofNode.delete(node);
    };
  }
}

/** What cannot be read is what every look finds. */
type Spec = CheckSpec | { readonly fault: unknown };

const FIELDS = [...Object.keys(http1.fields), ...Object.keys(tcp.fields), 'Interval', 'Timeout'];

function specOf(definition: Readonly<Record<string, unknown>>): Spec {
  const said = FIELDS.filter((field) => Object.hasOwn(definition, field));
  try {
    return checkFromConfig(Object.fromEntries(said.map((field) => [field, definition[field]])));
  } catch (fault) {
    return { fault };
  }
}

function timeoutOf(spec: Spec): number {
  const said = 'fault' in spec ? 0 : spec.Timeout / NS_PER_MS;
  return said > 0 ? Math.min(said, MAX_TIMEOUT_MS) : DEFAULT_TIMEOUT_MS;
}

interface Bounds {
  readonly maxOutputBytes: number;
  readonly timeoutMs: number;
}

function probeOf(spec: Spec, bounds: Bounds): Probe {
  if ('fault' in spec) return () => Promise.reject(new Error(messageOf(spec.fault)));
  const context = { ...bounds, untrusted: true, containerProbe: undefined };
  return (signal) =>
    kindOf(spec)?.probe?.(spec, context)(signal) ?? Promise.reject(new Error('nothing to look at'));
}
