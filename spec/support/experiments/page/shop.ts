/** A small shop as a registry sees it, and what happened to it: what pictures of the page show. */
import { send } from '../../servers/start-server.ts';

type Status = 'passing' | 'warning' | 'critical';

interface Part {
  readonly service: string;
  readonly nodes: readonly string[];
  readonly port: number;
  readonly tags: readonly string[];
  readonly more?: object;
}

const OUTPUT: Readonly<Record<Status, string>> = {
  passing: 'HTTP GET http://127.0.0.1/healthz: 200 OK',
  warning: 'TTL: 812 of 1,000 connections are in use',
  critical: 'Get "http://127.0.0.1/healthz": dial tcp: connection refused',
};

const DOCKER = { Meta: { 'proconsul-source': 'docker', version: '2.14.0' } };
const KUBERNETES = { Meta: { 'external-source': 'kubernetes', version: '5.1.2' } };

const PARTS: readonly Part[] = [
  {
    service: 'storefront',
    nodes: ['ams-1', 'ams-2', 'fra-1', 'fra-2'],
    port: 8080,
    tags: ['blue', 'http'],
    more: DOCKER,
  },
  {
    service: 'checkout',
    nodes: ['ams-1', 'ams-2', 'fra-1', 'fra-2', 'fra-3'],
    port: 8081,
    tags: ['http', 'v2'],
    more: DOCKER,
  },
  { service: 'payments', nodes: ['ams-2', 'fra-1', 'fra-3'], port: 9000, tags: ['grpc', 'pci'] },
  {
    service: 'payments-proxy',
    nodes: ['ams-2', 'fra-1', 'fra-3'],
    port: 21000,
    tags: [],
    more: {
      Kind: 'connect-proxy',
      Proxy: { DestinationServiceName: 'payments', DestinationServiceID: 'payments' },
    },
  },
  {
    service: 'catalogue',
    nodes: ['ams-1', 'fra-2', 'fra-3'],
    port: 8082,
    tags: ['http', 'read-only'],
    more: KUBERNETES,
  },
  { service: 'search', nodes: ['ams-3', 'fra-2'], port: 9200, tags: ['primary'], more: KUBERNETES },
  { service: 'stock', nodes: ['ams-3', 'fra-1'], port: 8083, tags: ['grpc'] },
  { service: 'postgres', nodes: ['ams-3', 'fra-3'], port: 5432, tags: ['primary', 'v16'] },
  { service: 'redis', nodes: ['ams-1', 'ams-2', 'fra-2'], port: 6379, tags: ['cache'] },
  { service: 'mail', nodes: ['ams-3'], port: 25, tags: ['smtp'] },
];

const KEYS: Readonly<Record<string, string>> = {
  'checkout/limits.yaml':
    '# per customer\norders:\n  per-minute: 6\n  most-items: 200\ncountries: [nl, de, fr, be]\nretry:\n  attempts: 3\n  after: 250ms\n',
  'checkout/features.json':
    '{\n  "express": true,\n  "vouchers": ["spring", "new"],\n  "minimum": 4.5\n}\n',
  'checkout/router.hcl': 'route "eu" {\n  weight = 80\n  hosts  = ["ams", "fra"]\n}\n',
  'checkout/leader': 'fra-2',
  'payments/provider': 'adyen',
  'payments/timeout': '2s',
  'storefront/banner': 'Free delivery until Sunday',
  'mail/from': 'shop@example.com',
};

const CALLS: Readonly<Record<string, readonly string[]>> = {
  storefront: ['catalogue', 'checkout', 'search', 'redis'],
  checkout: ['payments', 'stock', 'mail', 'redis'],
  catalogue: ['search', 'postgres'],
  search: ['stock'],
  payments: ['postgres', 'mail'],
  stock: ['postgres', 'catalogue'],
};

const INTENTIONS = [
  ['storefront', 'catalogue', 'allow'],
  ['storefront', 'checkout', 'allow'],
  ['storefront', 'postgres', 'deny'],
  ['checkout', 'payments', 'allow'],
  ['checkout', 'stock', 'allow'],
  ['payments', 'postgres', 'allow'],
  ['catalogue', 'postgres', 'allow'],
  ['mail', '*', 'deny'],
] as const;

/** As often as agents tell what their instances answered. */
const TOLD_MS = 15_000;
/** Of a hundred answers so many took 1, 2, 5 ms and so on at most (lib/served.ts). */
const LATENCY = [4, 16, 34, 24, 12, 6, 2, 1, 1];

export class Shop {
  readonly #port: number;
  #told = 0;

  constructor(port: number) {
    this.#port = port;
  }

  async open(): Promise<void> {
    for (const part of PARTS) for (const node of part.nodes) await this.#register(part, node);
    for (const node of new Set(PARTS.flatMap(({ nodes }) => nodes))) {
      await this.#put('/v1/catalog/register', {
        Node: node,
        Address: addressOf(node),
        SkipNodeUpdate: true,
        Check: {
          CheckID: 'disk',
          Name: 'Disk',
          Status: 'passing',
          Output: '41 % of /var is in use',
        },
      });
    }
    await this.#put('/v1/operator/kv-revisions', { Prefixes: ['checkout/'] });
    await this.#put('/v1/kv/checkout/limits.yaml', KEYS['checkout/limits.yaml']?.replace('6', '4'));
    for (const [key, value] of Object.entries(KEYS)) await this.#put(`/v1/kv/${key}`, value);
    const made = { Node: 'fra-2', Name: 'checkout-leader', LockDelay: '15s', NodeChecks: ['disk'] };
    const { ID } = (await this.#put('/v1/session/create', made)) as { ID: string };
    await this.#put(`/v1/kv/checkout/leader?acquire=${ID}`, 'fra-2');
  }

  /** Who calls whom, and who may. */
  async calls(): Promise<void> {
    for (const [service, upstreams] of Object.entries(CALLS)) {
      const node = PARTS.find((part) => part.service === service)?.nodes[0] ?? '';
      const proxy = {
        DestinationServiceName: service,
        DestinationServiceID: `${service}-${node}`,
        Upstreams: upstreams.map((DestinationName, i) => ({
          DestinationName,
          LocalBindPort: 9000 + i,
        })),
      };
      const ID = `${service}-proxy-${node}`;
      const Service = {
        Kind: 'connect-proxy',
        ID,
        Service: `${service}-proxy`,
        Port: 21000,
        Proxy: proxy,
      };
      const body = { Node: node, Address: addressOf(node), SkipNodeUpdate: true, Service };
      await this.#put('/v1/catalog/register', body);
    }
    for (const [from, to, Action] of INTENTIONS) {
      const path = `/v1/connect/intentions/exact?source=${from}&destination=${to}`;
      await this.#put(path, { Action });
    }
  }

  /** What each instance of a service answered since it was told last, with an hour's ups and downs. */
  async answers(service: string): Promise<void> {
    const part = PARTS.find((each) => each.service === service);
    const turn = this.#told++;
    for (const [i, Node] of (part?.nodes ?? []).entries()) {
      const rate = 62 + 18 * Math.sin(turn / 17 + i / 3) + 7 * Math.sin(turn * 1.7 + i);
      const isSlow = turn > 70 && turn < 84;
      const Requests = Math.round((rate * TOLD_MS) / 1000);
      // What is slow moves up by two places.
      const places = isSlow ? [0, 0, ...LATENCY] : LATENCY;
      const told = {
        ServiceID: `${service}-${Node}`,
        RequestMs: TOLD_MS,
        Requests,
        Errors: Math.round(Requests * (isSlow ? 0.011 : 0.002)),
        Latency: places.map((of100) => Math.round((Requests * of100) / 100)),
      };
      await this.#put('/v1/internal/agent/load', { ID: '', Node, Instances: [told] });
    }
  }

  /** Whether the last minute is known whole. */
  async hasTold(service: string): Promise<boolean> {
    const path = `/v1/internal/performance/service/${service}`;
    const { json } = await send(this.#port, 'GET', path, {});
    const [minute] = (json as { Windows: readonly { ToldSeconds: number }[] }).Windows;
    return minute?.ToldSeconds === 60;
  }

  async sells(order: number): Promise<void> {
    await this.#put('/v1/kv/stock/last-order', String(100_000 - order));
  }

  /** What its check says from now on. */
  async turns(service: string, node: string, status: Status): Promise<void> {
    const part = PARTS.find((each) => each.service === service);
    if (part !== undefined) await this.#put('/v1/catalog/register', ofCheck(part, node, status));
  }

  #register(part: Part, node: string): Promise<unknown> {
    const { service, port, tags, more } = part;
    return this.#put('/v1/catalog/register', {
      ...ofCheck(part, node, 'passing'),
      SkipNodeUpdate: false,
      NodeMeta: { zone: node.slice(0, 3), kernel: '6.1.0' },
      Service: {
        ID: `${service}-${node}`,
        Service: service,
        Port: port,
        Tags: tags,
        Meta: { version: '1.9.3' },
        ...more,
      },
    });
  }

  async #put(path: string, body?: object | string): Promise<unknown> {
    const { status, text, json } = await send(
      this.#port,
      'PUT',
      path,
      body === undefined ? {} : { body },
    );
    if (status !== 200) throw new Error(`${path}: ${status} ${text}`);
    return json;
  }
}

function ofCheck({ service }: Part, node: string, status: Status): object {
  return {
    Node: node,
    Address: addressOf(node),
    SkipNodeUpdate: true,
    Check: {
      CheckID: `${service}:health`,
      Name: 'Health',
      ServiceID: `${service}-${node}`,
      Status: status,
      Output: OUTPUT[status],
    },
  };
}

function addressOf(node: string): string {
  const [site, number] = node.split('-');
  return `10.${site === 'ams' ? 1 : 2}.0.${number}`;
}
