/** A server's own catalog as the agent in the same process sees it: no HTTP in between. */

import type { Catalog } from '../../agent/sync/catalog.ts';
import { EVERYTHING } from '../../lib/acl/rights.ts';
import { ProconsulError } from '../../lib/errors.ts';
import type { Command } from '../../server/commands.ts';
import { writeAs } from '../../server/http/deps.ts';
import type { Server } from '../../server/server.ts';

/**
 * What is registered with the agent comes under its own tokens, as from any other node. Of its own
 * node the server needs no leave: to whom it belongs the log says already.
 */
export function serverCatalog(server: Server): Catalog {
  const { access, deps } = server;
  const write = async (command: Command) => {
    const outcome = await server.propose(command);
    if (outcome.refused !== undefined) throw new ProconsulError('rejected', outcome.refused);
  };
  return {
    async node(name, token) {
      const { rights } = name === deps.node ? { rights: EVERYTHING } : await access.callerOf(token);
      const { catalog } = server.state;
      const node = catalog.node(name);
      if (node === undefined || !rights.may('node', 'read', node.Node)) return undefined;
      const maySee = (service: string) => service === '' || rights.may('service', 'read', service);
      return {
        node,
        services: [...catalog.instancesOn(name)].filter(({ Service }) => maySee(Service)),
        checks: [...catalog.checksOn(name)].filter(({ ServiceName }) => maySee(ServiceName)),
      };
    },
    registerSelf: (registration) => write({ type: 'register', ...registration }),
    async register(registration, token) {
      const asking = { callerStill: () => access.callerOf(token) };
      await writeAs(asking, deps, { type: 'register', ...registration });
    },
    deregister: (deregistration) => write({ type: 'deregister', ...deregistration }),
  };
}
