/** A service of programs in this process, and a balancer and dispatcher that call it. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { request } from 'undici';
import {
  type BalancerOptions,
  type BalancerPorts,
  ServiceBalancer,
} from '../../../client/service-balancer.ts';
import { type BalancedOptions, balancedDispatcher } from '../../../client/undici.ts';
import { until } from '../until.ts';
import { startServer } from './start-server.ts';

export type Serve = (request: IncomingMessage, response: ServerResponse) => void;

export interface Instance {
  readonly name: string;
  readonly port: number;
  readonly server: Server;
  readonly taken: () => number;
}

/** What ends with the spec, the last first. */
export const stops: (() => unknown)[] = [];

afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

/** A program that answers with its name, unless it is told more. */
export async function run(name: string, answer?: Serve): Promise<Instance> {
  let taken = 0;
  const server = createServer((asked, response) => {
    taken++;
    if (answer === undefined) response.end(name);
    else answer(asked, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  stops.push(() => kill(server));
  const { port } = server.address() as { readonly port: number };
  return { name, port, server, taken: () => taken };
}

export async function kill(server: Server): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeAllConnections();
  await closed;
}

/** Programs of these names, registered as instances of `web`. */
export async function start(
  names: readonly string[],
  options: Partial<BalancerOptions> & BalancedOptions & BalancerPorts = {},
) {
  const registry = await startServer();
  const register = async ({ name, port }: Pick<Instance, 'name' | 'port'>, more: object = {}) =>
    await registry.put('/v1/catalog/register', {
      Node: 'm',
      Address: '127.0.0.1',
      Service: { ID: name, Service: 'web', Port: port, Meta: { name } },
      ...more,
    });
  const deregister = (ServiceID: string) =>
    registry.put('/v1/catalog/deregister', { Node: 'm', ServiceID });
  const instances = await Promise.all(names.map((name) => run(name)));
  for (const each of instances) await register(each);
  const { clock, statuses, call, ...rest } = options;
  const address = `http://127.0.0.1:${registry.port}`;
  const ports = clock === undefined ? {} : { clock };
  const balancer = new ServiceBalancer(
    { service: 'web', policy: 'round-robin', agent: { address }, ...rest },
    ports,
  );
  stops.push(() => balancer.close(0));
  const dispatcher = balancedDispatcher(balancer, {
    ...(statuses !== undefined && { statuses }),
    ...(call !== undefined && { call }),
  });
  stops.push(() => dispatcher.destroy());
  const ask = async (path = '/', more: Parameters<typeof request>[1] = {}) => {
    const { statusCode, body } = await request(`http://web${path}`, { dispatcher, ...more });
    return { status: statusCode, text: await body.text() };
  };
  const untilHealthy = (...wanted: readonly string[]) =>
    until(
      () => {
        const healthy = balancer.instances.filter(({ health }) => health === 'healthy');
        return (
          healthy
            .map(({ id }) => id)
            .sort()
            .join() === wanted.map((n) => `m/${n}`).join()
        );
      },
      () => balancer.instances,
    );
  await balancer.ready();
  return { registry, register, deregister, instances, balancer, dispatcher, ask, untilHealthy };
}
