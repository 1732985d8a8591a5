/** A sidecar whose upstreams speak HTTP, on a server of the spec with the mesh, and programs behind it. */
import { type IncomingHttpHeaders, request } from 'node:http';
import type { SidecarLimits } from '../../../sidecar/sidecar.ts';
import { until } from '../until.ts';
import type { PlainUpstream } from './sidecars.ts';
import { agentAt, LIMITS, plain, startSidecar } from './sidecars.ts';
import { startServerWith } from './start-server.ts';

export interface Answered {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly trailers: NodeJS.Dict<string>;
  readonly text: string;
}

export interface Asking {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string | Buffer;
}

/** One request on a connection of its own. */
export function ask(port: number, path: string, asking: Asking = {}): Promise<Answered> {
  const { method = 'GET', headers = {}, body } = asking;
  return new Promise((resolve, reject) => {
    const options = {
      host: '127.0.0.1',
      port,
      path,
      method,
      agent: false,
      headers: { ...headers },
    };
    const sent = request(options as object, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('error', reject);
      response.on('end', () => {
        const { statusCode = 0, trailers } = response;
        const text = Buffer.concat(parts).toString();
        resolve({ status: statusCode, headers: response.headers, trailers, text });
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

export interface Instance {
  readonly id: string;
  readonly port: number;
  readonly service?: string;
  readonly meta?: Readonly<Record<string, string>>;
}

/** Of the service `web`, by HTTP unless an entry says otherwise. */
export async function startHttp(
  instances: readonly Instance[],
  entries: readonly object[] = [],
  more: {
    readonly protocol?: string;
    readonly upstreams?: readonly PlainUpstream[];
    readonly limits?: SidecarLimits;
  } = {},
) {
  const server = await startServerWith({ connect: { provider: 'consul', config: {} } });
  await until(() => server.server.state.authority.roots.size > 0);
  const write = (entry: object) => server.put('/v1/config', entry);
  await write({ Kind: 'proxy-defaults', Config: { protocol: more.protocol ?? 'http' } });
  for (const entry of entries) await write(entry);
  const register = ({ id, port, service = 'web', meta = {} }: Instance) =>
    server.put('/v1/catalog/register', {
      Node: 'm',
      Address: '127.0.0.1',
      Service: { ID: id, Service: service, Port: port, Meta: meta },
    });
  for (const each of instances) await register(each);
  const agent = agentAt(server.port);
  const { upstreams = [plain('web')], limits = LIMITS } = more;
  const sidecar = await startSidecar(agent.ask, upstreams, { limits });
  await until(
    async () => (await sidecar.admin('/ready')).status === 200,
    () => sidecar.logger.lines,
  );
  return { ...sidecar, server, agent, write, register };
}
