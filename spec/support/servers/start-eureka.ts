/** Eureka's application in front of a spec's own server, on a port of its own. */
import { Listener } from '../../../lib/http/listener.ts';
import { silentLogger } from '../../../lib/logger.ts';
import { eurekaApplication } from '../../../server/eureka/application.ts';
import { type Answer, atEnd, type Sent, send, type TestServer } from './start-server.ts';

export interface TestEureka {
  readonly port: number;
  readonly ask: (method: string, path: string, sent?: Sent) => Promise<Answer>;
}

export async function startEureka({ server }: Pick<TestServer, 'server'>): Promise<TestEureka> {
  const { access } = server;
  const options = { paths: server.eurekaPaths(), access, guards: [], logger: silentLogger };
  const listener = new Listener({
    listener: eurekaApplication(options, undefined),
    at: { host: '127.0.0.1', port: 0 },
    limits: { connectionsPerAddress: () => 0 },
  });
  await listener.start();
  atEnd(() => listener.stop());
  const { port } = listener;
  return { port, ask: (method, path, sent = {}) => send(port, method, path, sent) };
}
