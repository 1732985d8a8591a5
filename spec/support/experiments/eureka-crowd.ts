/** Many instances, as their clients tell a Eureka server of them: for experiments and measurements. */
import { Agent, request as httpRequest } from 'node:http';

const AT_ONCE = 64;
const MAX_WAIT_MS = 30_000;
const APPS = 100;

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly body?: string;
}

export interface Answered {
  readonly status: number;
  readonly text: string;
}

export interface Lease {
  readonly renewalIntervalInSecs: number;
  readonly durationInSecs: number;
}

const appOf = (n: number) => `APP${n % APPS}`;
export const idOf = (n: number) => `h${n}:${appOf(n)}:8080`;
export const pathOf = (n: number) => `/eureka/apps/${appOf(n)}/${idOf(n)}`;

export function registration(n: number, leaseInfo: Lease): Asked {
  const instance = {
    instanceId: idOf(n),
    ...{ hostName: `h${n}`, app: appOf(n), ipAddr: `10.1.${n >> 8}.${n & 255}`, status: 'UP' },
    port: { $: 8080, '@enabled': 'true' },
    dataCenterInfo: {
      '@class': 'com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo',
      name: 'MyOwn',
    },
    leaseInfo,
    metadata: { 'management.port': '8081', zone: `z${n % 3}` },
    ...{ vipAddress: appOf(n).toLowerCase(), homePageUrl: `http://h${n}:8080/` },
    lastDirtyTimestamp: '1760000000000',
  };
  return { method: 'POST', path: `/eureka/apps/${appOf(n)}`, body: JSON.stringify({ instance }) };
}

export class Asker {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });

  /** `keeps`: the text too, and not compressed. */
  ask(port: number, { method, path, body }: Asked, keeps = false): Promise<Answered> {
    return new Promise((resolve, reject) => {
      const headers = {
        Accept: 'application/json',
        ...(!keeps && { 'Accept-Encoding': 'gzip' }),
        ...(body !== undefined && { 'Content-Type': 'application/json' }),
      };
      const to = { host: '127.0.0.1', port, method, path, headers, agent: this.#agent };
      const request = httpRequest({ ...to, timeout: MAX_WAIT_MS });
      request.on('error', reject);
      request.on('timeout', () => request.destroy(new Error('no answer')));
      request.on('response', (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => keeps && parts.push(part));
        response.on('error', reject);
        response.on('end', () => {
          resolve({ status: response.statusCode ?? 0, text: Buffer.concat(parts).toString() });
        });
      });
      request.end(body);
    });
  }

  /** So many at once, from a number up to another; how many were not answered as they should be. */
  async all(from: number, end: number, wanted: number, ask: (n: number) => Promise<Answered>) {
    let [next, failed] = [from, 0];
    const some = async () => {
      while (next < end) {
        const answer = await ask(next++).catch(() => undefined);
        if (answer?.status !== wanted) failed++;
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, some));
    return failed;
  }

  stop(): void {
    this.#agent.destroy();
  }
}
