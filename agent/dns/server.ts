/** The DNS server of an agent: its zone over UDP and TCP, and what is not its own passed on. */
import { systemClock } from '../../lib/clock.ts';
import type { DnsConfig } from '../../lib/config/config.ts';
import type { Lookups } from '../../lib/dns-lookups.ts';
import { hostPort } from '../../lib/ip.ts';
import type { Metric } from '../../lib/metrics/metric.ts';
import type { System } from '../../lib/system.ts';
import { Amplification } from './amplification.ts';
import { DnsAnswers } from './answers.ts';
import { DnsTimes } from './dns-times.ts';
import { Recursors } from './recursors.ts';
import { Responder, type Response } from './responder.ts';
import { TcpListener } from './tcp.ts';
import { UdpListener } from './udp.ts';

export interface DnsServerOptions {
  readonly config: DnsConfig;
  /** Of this agent, for its metrics. */
  readonly node: string;
  readonly datacenter: string;
  readonly listen: readonly { readonly host: string; readonly port: number }[];
  readonly lookups: Lookups;
  readonly system: System;
}

interface Pair {
  readonly udp: UdpListener;
  readonly tcp: TcpListener;
}

/** Where any port will do, one that is free for UDP may be taken for TCP. */
const ANY_PORT_TRIES = 20;

async function startPair(pair: Pair, tries: number): Promise<void> {
  const { udp, tcp } = pair;
  await udp.start();
  try {
    await tcp.start(udp.port);
  } catch (error) {
    udp.stop();
    if (!udp.anyPort || tries <= 1) throw error;
    await startPair(pair, tries - 1);
  }
}

/** So Consul says its domain, however it was configured. */
function inLowerCase(config: DnsConfig): DnsConfig {
  const { domain, altDomain } = config;
  return { ...config, domain: domain.toLowerCase(), altDomain: altDomain.toLowerCase() };
}

type Zone = Pick<DnsServerOptions, 'config' | 'datacenter' | 'lookups'>;

function responderOf({ datacenter, lookups, ...zone }: Zone, system: System): Responder {
  const { clock, random, logger } = system;
  const config = inLowerCase(zone.config);
  const recursors = new Recursors({
    addresses: config.recursors,
    timeoutMs: config.recursorTimeoutMs,
    strategy: config.recursorStrategy,
    clock,
    random,
  });
  const answers = new DnsAnswers({ config, datacenter, lookups, recursors, clock });
  return new Responder({ answers, recursors, config, random, clock, logger });
}

export class DnsServer {
  readonly #options: DnsServerOptions;
  readonly #pairs: readonly Pair[];
  #responder: Responder;
  /** A reload makes another responder, and keeps these. */
  readonly #times = new DnsTimes();

  constructor(options: DnsServerOptions) {
    const { system, listen } = options;
    const { clock, logger } = system;
    const amplification = new Amplification(clock);
    this.#options = options;
    this.#responder = responderOf(options, system);
    const responder: Pick<Responder, 'respond'> = {
      respond: (...asked) => this.#respond(...asked),
    };
    this.#pairs = listen.map((at) => ({
      udp: new UdpListener({ ...at, responder, amplification, logger }),
      tcp: new TcpListener({ ...at, responder, logger }),
    }));
  }

  get responder(): Responder {
    return this.#responder;
  }

  metrics(): readonly Metric[] {
    return this.#times.metrics(this.#options.node);
  }

  /** From now on it answers by this; as in Consul, for the domains that it had at its start. */
  takeOver(config: DnsConfig, lookups: Lookups): void {
    const { config: first, datacenter, system } = this.#options;
    const { domain, altDomain } = first;
    const now = { ...config, domain, altDomain };
    this.#responder = responderOf({ config: now, datacenter, lookups }, system);
  }

  /** Of the first address; useful when 0 was asked for. */
  get port(): number {
    return this.#pairs[0]?.udp.port ?? 0;
  }

  /** Both transports are at one port, whichever that is. Rejects when an address is taken. */
  async start(): Promise<void> {
    try {
      for (const pair of this.#pairs) await startPair(pair, ANY_PORT_TRIES);
    } catch (error) {
      await this.stop();
      throw error;
    }
    const { listen, system } = this.#options;
    for (const { host, port } of listen) {
      system.logger.info(`dns: listens at ${hostPort(host, port)} (udp and tcp)`);
    }
  }

  async stop(): Promise<void> {
    for (const { udp } of this.#pairs) udp.stop();
    await Promise.all(this.#pairs.map(({ tcp }) => tcp.stop()));
  }

  #respond(...asked: Parameters<Responder['respond']>): Response {
    const from = systemClock.monotonic();
    const response = this.#responder.respond(...asked);
    if (!(response instanceof Promise)) return this.#noted(response, from);
    return response.then((answer) => this.#noted(answer, from));
  }

  #noted(answer: Buffer | undefined, from: number): Buffer | undefined {
    this.#times.observe(answer, systemClock.monotonic() - from);
    return answer;
  }
}
