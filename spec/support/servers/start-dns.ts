/** A DNS server of a spec's own, over the state of a registry server of its own. */
import { DnsServer } from '../../../agent/dns/server.ts';
import { loadConfig } from '../../../lib/config/load.ts';
import type { Lookups } from '../../../lib/dns-lookups.ts';
import { silentLogger } from '../../../lib/logger.ts';
import { LocalLookups } from '../../../server/dns-lookups.ts';
import type { FakeClock } from '../fakes/fake-clock.ts';
import { fakeConfigHost } from '../fakes/fake-config-host.ts';
import { seededRandom } from '../fakes/seeded-random.ts';
import { askTcp, askUdp, type Question } from './dns-client.ts';
import type { ParsedPacket } from './dns-parser.ts';
import { startServer, type TestServer } from './start-server.ts';

const started: DnsServer[] = [];

afterEach(async () => {
  for (const dns of started.splice(0)) await dns.stop();
});

export interface TestDns extends TestServer {
  readonly dns: DnsServer;
  readonly dnsPort: number;
  readonly lookups: Lookups;
  readonly udp: (name: string, type: Question['type'], edns?: number) => Promise<ParsedPacket>;
  readonly tcp: (name: string, type: Question['type']) => Promise<ParsedPacket>;
  readonly register: (body: object) => Promise<void>;
}

/** `hcl` is a fragment of a configuration. */
export async function startDns(hcl = ''): Promise<TestDns> {
  const test = await startServer();
  const { allowStale, maxStaleMs } = dnsConfig(hcl);
  const lookups = new LocalLookups(test.server.deps, { allowStale, maxStaleMs }, () => '');
  const dns = await serveDns(lookups, test.clock, hcl);
  const ask = (question: Question) => askUdp(dns.port, question);
  return {
    ...test,
    dns,
    dnsPort: dns.port,
    lookups,
    udp: (name, type, edns) => ask({ name, type, ...(edns === undefined ? {} : { edns }) }),
    tcp: (name, type) => askTcp(dns.port, { name, type }),
    async register(body) {
      const { status, text } = await test.put('/v1/catalog/register', body);
      if (status !== 200) throw new Error(text);
    },
  };
}

/** A DNS server over any lookups; it ends with the spec. */
export async function serveDns(lookups: Lookups, clock: FakeClock, hcl = ''): Promise<DnsServer> {
  const dns = new DnsServer({
    node: 'n1',
    config: dnsConfig(hcl),
    datacenter: 'dc1',
    listen: [{ host: '127.0.0.1', port: 0 }],
    lookups,
    system: { clock, random: seededRandom(1), logger: silentLogger },
  });
  started.push(dns);
  await dns.start();
  return dns;
}

export function dnsConfig(hcl: string) {
  const argv = ['-dev', '-node=n1', '-bind=127.0.0.1', ...(hcl === '' ? [] : ['-hcl', hcl])];
  return loadConfig({ argv, host: fakeConfigHost() }).config.dns;
}
