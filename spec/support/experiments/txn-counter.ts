/**
 * A process that stands before a server, and tells whoever began it what transactions have written there, once they are taken.
 *
 *   txn-counter.ts PORT-OF-THE-SERVER
 */
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Instance {
  readonly ID: string;
  readonly Service: string;
  readonly Address: string;
}

export interface Check {
  readonly CheckID: string;
  readonly ServiceID: string;
  readonly Status: string;
}

/** Of a transaction, what is about instances. */
export interface Op {
  readonly Service?: { readonly Verb: string; readonly Service: Instance };
  readonly Check?: { readonly Verb: string; readonly Check: Check };
}

export interface Taken {
  readonly ops: readonly Op[];
  /** Instances that were written. */
  readonly writes: number;
}

const to = Number(process.argv[2]);
const server = createServer((incoming, outgoing) => {
  const { method, url, headers } = incoming;
  const parts: Buffer[] = [];
  const asked = { host: '127.0.0.1', port: to, method, path: url, headers };
  const sent = request(asked, (answer) => {
    outgoing.writeHead(answer.statusCode ?? 0, answer.headers);
    answer.pipe(outgoing);
    if (url === '/v1/txn' && answer.statusCode === 200) process.send?.(takenBy(parts));
  });
  sent.on('error', () => outgoing.destroy());
  // What was asked for by one that is killed is taken all the same, and is to be counted.
  outgoing.on('close', () => url === '/v1/txn' || sent.destroy());
  incoming.on('data', (part: Buffer) => parts.push(part));
  incoming.pipe(sent);
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
process.on('disconnect', () => process.exit());

function takenBy(parts: readonly Buffer[]): Taken {
  const all = JSON.parse(Buffer.concat(parts).toString()) as readonly Op[];
  const ops = all.map(({ Service, Check }): Op => {
    if (Service !== undefined) {
      const { ID, Service: name, Address } = Service.Service;
      return { Service: { Verb: Service.Verb, Service: { ID, Service: name, Address } } };
    }
    if (Check === undefined) return {};
    const { CheckID, ServiceID, Status } = Check.Check;
    return { Check: { Verb: Check.Verb, Check: { CheckID, ServiceID, Status } } };
  });
  const ids = ops.map(({ Service, Check }) => Service?.Service.ID ?? Check?.Check.ServiceID);
  return { ops, writes: new Set(ids.filter((id) => id !== undefined)).size };
}
