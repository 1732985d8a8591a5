import { Agent } from 'node:http';
import { startMatrix } from '../../contract/rights-matrix/rows.ts';
import { type MatrixPlace, rightsMatrix } from '../../contract/rights-matrix.contract.ts';

async function start(): Promise<MatrixPlace> {
  const matrix = await startMatrix();
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  after(() => agent.destroy());
  return {
    ...matrix,
    opening: '',
    // The second time from the fast path, where there is one.
    ways: ['', ''],
    ask: (token, { method, target, body }) => {
      const headers = token === '' ? {} : { 'X-Consul-Token': token };
      return matrix.server.ask(method, target, { body, agent, headers });
    },
  };
}

rightsMatrix('at a server', start);
