/** What an operator is told first: who this is, what it runs as, and where it is to be found. */
import type { Config } from '../../lib/config/config.ts';
import { CONSUL_VERSION, VERSION } from '../../lib/version.ts';

/** In the order, and with the names, of Consul's own block. */
type Rows = readonly (readonly [name: string, text: string])[];

/** What is known only once the process has begun. */
export interface Self {
  readonly nodeId: string;
  /** Where the event log is, without any password. */
  readonly log: string;
}

function startRows(config: Config, { nodeId, log }: Self): Rows {
  const { nodeName, datacenter, server, bootstrap, ports, address, listen, tls, encrypt } = config;
  const clients = [...new Set(listen.http.map((at) => ('path' in at ? at.path : at.host)))];
  const { http, https, dns, serfLan } = ports;
  const tlsOf = ({ verifyOutgoing, verifyIncoming }: typeof tls.internalRpc) =>
    `TLS-Outgoing: ${verifyOutgoing}, TLS-Incoming: ${verifyIncoming}`;
  return [
    ['Version', `'${CONSUL_VERSION}' (Proconsul ${VERSION})`],
    ['Node ID', `'${nodeId}'`],
    ['Node name', `'${nodeName}'`],
    ['Datacenter', `'${datacenter}' (Segment: '${server ? '<all>' : ''}')`],
    ['Server', `${server} (Bootstrap: ${bootstrap})`],
    ['Client Addr', `[${clients.join(' ')}] (HTTP: ${http}, HTTPS: ${https}, DNS: ${dns})`],
    ['Cluster Addr', `${address.advertise} (LAN: ${serfLan}, Server: ${ports.server})`],
    ['Encrypt', `Log: ${encrypt.key !== ''}, ${tlsOf(tls.internalRpc)}`],
    ['Event log', log],
  ];
}

export function startBlock(config: Config, self: Self): string {
  const rows = startRows(config, self);
  const lines = rows.map(([name, text]) => `${`${name}:`.padStart(19)} ${text}\n`);
  return `${lines.join('')}\n==> Log data will now stream in as it occurs:\n\n`;
}

/** What somebody does next who tries it out; '' for others, who know, and where nothing listens for them. */
export function firstSteps({ devMode, ports, listen }: Config): string {
  const [at] = listen.http.filter((each) => !('path' in each));
  if (!devMode || at === undefined || 'path' in at) return '';
  const isUsual = ports.http === 8500;
  const host = ['0.0.0.0', '::'].includes(at.host) ? '127.0.0.1' : at.host;
  const address = `${host.includes(':') ? `[${host}]` : host}:${ports.http}`;
  const option = isUsual && host === '127.0.0.1' ? '' : ` -http-addr=${address}`;
  return `    Nothing is kept after it ends. In another terminal:
      proconsul members${option}
      proconsul services register${option} -name=web -port=80
      curl http://${address}/v1/catalog/service/web
`;
}
