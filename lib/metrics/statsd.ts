/**
 * Sends metrics to a statsd or a dogstatsd, once a second: how much each counter has grown, gauges as
 * they stand, and of each sample a part of the values with the rate that says how many there were.
 * Consul sends a datagram for each of them at the moment that it happens; what they add up to is the
 * same, and a request pays nothing for it.
 */
import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { Cancel, Clock } from '../clock.ts';
import type { Logger } from '../logger.ts';
import { Notices } from '../notices.ts';
import { type Meter, readingsOf } from './meter.ts';
import type { Labels, Metric } from './metric.ts';
import { type Naming, shownName } from './names.ts';
import type { Raw, Sample } from './sample.ts';

const EVERY_MS = 1000;
/** As Consul: what passes through every network in one piece. */
const MAX_DATAGRAM_BYTES = 1400;

export interface Sink {
  readonly format: 'statsd' | 'dogstatsd';
  readonly host: string;
  readonly port: number;
  /** Of dogstatsd: sent with everything. */
  readonly tags: readonly string[];
}

export interface StatsdOptions {
  readonly sinks: readonly Sink[];
  readonly meter: Meter;
  /** Which a reload may change. */
  readonly naming: () => Naming;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A line of a metric, without its name. */
interface Value {
  readonly labels: Labels;
  readonly text: string;
}

export class Statsd {
  readonly #options: StatsdOptions;
  readonly #notices: Notices;
  readonly #sent = new Map<Metric, number>();
  readonly #sockets = new Map<Sink, Socket>();
  #cancel: Cancel = () => undefined;

  constructor(options: StatsdOptions) {
    this.#options = options;
    this.#notices = new Notices((text) => options.logger.warn(`agent: ${text}`));
  }

  start(): void {
    const { sinks, meter } = this.#options;
    if (sinks.length === 0) return;
    for (const sample of samplesOf(meter)) sample.keepRaw();
    for (const sink of sinks) this.#open(sink);
    this.#again();
  }

  stop(): void {
    this.#cancel();
    for (const socket of this.#sockets.values()) socket.close();
    this.#sockets.clear();
  }

  #open(sink: Sink): void {
    const socket = createSocket(isIPv6(sink.host) ? 'udp6' : 'udp4');
    socket.on('error', (error) => this.#failed(sink, error));
    this.#sockets.set(sink, socket);
  }

  #again(): void {
    const { clock } = this.#options;
    this.#cancel = clock.after(EVERY_MS, () => {
      this.#sendAll();
      this.#again();
    });
  }

  #sendAll(): void {
    const { meter, sinks } = this.#options;
    // Once for all sinks, and for all rows that show the same sample.
    const raw = new Map(samplesOf(meter).map((sample) => [sample, sample.takeRaw()]));
    const all = meter.metrics.map((metric) => [metric, this.#valuesOf(metric, raw)] as const);
    for (const sink of sinks) {
      const lines = all.flatMap(([metric, values]) => this.#linesOf(sink, metric, values));
      for (const datagram of datagrams(lines)) this.#send(sink, datagram);
    }
  }

  #valuesOf(metric: Metric, raw: ReadonlyMap<Sample, Raw>): readonly Value[] {
    const { labels = {} } = metric;
    switch (metric.kind) {
      case 'gauge':
        return readingsOf(metric).map((each) => ({
          labels: each.labels,
          text: `${short(each.value)}|g`,
        }));
      case 'counter': {
        const now = metric.read();
        const grown = now - (this.#sent.get(metric) ?? 0);
        this.#sent.set(metric, now);
        return grown === 0 ? [] : [{ labels, text: `${grown}|c` }];
      }
      case 'sample':
        return metric.samples.flatMap((sample) =>
          timingTexts(raw.get(sample)).map((text) => ({ labels, text })),
        );
    }
  }

  #linesOf(sink: Sink, metric: Metric, values: readonly Value[]): string[] {
    if (values.length === 0) return [];
    const naming = this.#options.naming();
    // Whoever reads dogstatsd knows the host by what sends.
    const name = shownName(metric, naming, sink.format === 'statsd' ? naming.host : '');
    return name === undefined ? [] : values.map((value) => lineOf(sink, name, value));
  }

  #send(sink: Sink, datagram: string): void {
    this.#sockets.get(sink)?.send(datagram, sink.port, sink.host, (error) => {
      if (error) this.#failed(sink, error);
      else this.#notices.clear(sink.format);
    });
  }

  /** A name that is not known, or nobody at the port: the next second is another chance. */
  #failed({ format }: Sink, error: Error): void {
    this.#notices.tell(format, `no metrics to ${format}: ${error.message}`);
  }
}

function samplesOf(meter: Meter): Sample[] {
  const all = meter.metrics.flatMap((each) => (each.kind === 'sample' ? each.samples : []));
  return [...new Set(all)];
}

function timingTexts(raw: Raw | undefined): string[] {
  if (raw === undefined) return [];
  const { values, of } = raw;
  const rate = values.length < of ? `|@${short(values.length / of)}` : '';
  return values.map((value) => `${short(value)}|ms${rate}`);
}

function lineOf({ format, tags }: Sink, name: string, { labels, text }: Value): string {
  const pairs = Object.entries(labels);
  if (format === 'statsd') {
    return `${[name, ...pairs.map(([, value]) => value)].map(plain).join('.')}:${text}`;
  }
  const all = [...tags, ...pairs.map(([key, value]) => `${key}:${value.replace(/[|,\s]/g, '_')}`)];
  return `${plain(name)}:${text}${all.length === 0 ? '' : `|#${all.join(',')}`}`;
}

/** What ends a name or a line in statsd, as Consul replaces it. */
function plain(part: string): string {
  return part.replace(/[:|\s]/g, '_');
}

function short(value: number): string {
  return String(Number(value.toFixed(6)));
}

function* datagrams(lines: readonly string[]): Iterable<string> {
  let datagram = '';
  for (const line of lines) {
    if (datagram !== '' && Buffer.byteLength(datagram) + line.length + 1 > MAX_DATAGRAM_BYTES) {
      yield datagram;
      datagram = '';
    }
    datagram += `${line}\n`;
  }
  if (datagram !== '') yield datagram;
}
