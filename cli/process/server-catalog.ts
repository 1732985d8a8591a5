/** A server's own catalog as the agent in the same process sees it: no HTTP in between. */

import type { Catalog } from '../../agent/sync/catalog.ts';
import { ProconsulError } from '../../lib/errors.ts';
import type { Command } from '../../server/commands.ts';
import type { Server } from '../../server/server.ts';

export function serverCatalog(server: Server): Catalog {
  const write = async (command: Command) => {
    const outcome = await server.propose(command);
    if (outcome.refused !== undefined) throw new ProconsulError('rejected', outcome.refused);
  };
  return {
    async node(name) {
      const { catalog } = server.state;
      const node = catalog.node(name);
      if (node === undefined) return undefined;
      const services = [...catalog.instancesOn(name)];
      return { node, services, checks: [...catalog.checksOn(name)] };
    },
    register: (registration) => write({ type: 'register', ...registration }),
    deregister: (deregistration) => write({ type: 'deregister', ...deregistration }),
  };
}
