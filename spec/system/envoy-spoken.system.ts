/**
 * How real Envoys speak, as config entries say it: names of DNS in an ingress gateway's certificate, versions of TLS in
 * the mesh, headers of a splitter's parts, and how long a resolver waits.
 *
 *   ENVOY=/path/to/envoy node --import tsx spec/system/envoy-spoken.system.ts
 */
import { spawnSync } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { callNamed, callPlain, MeshEnvoys, rawGet } from '../support/experiments/mesh-envoys.ts';
import { freePorts } from '../support/servers/free-ports.ts';
import { until } from '../support/until.ts';
import { report, SHORT_MS } from './report.ts';

const ENVOY = process.env['ENVOY'] ?? 'envoy';
const PATIENCE_MS = 120_000;

interface Rounds {
  readonly envoys: MeshEnvoys;
  readonly check: (what: string, isGood: boolean, seen?: string) => void;
  /** Where other Envoys call `api`, an ingress has it in the clear, and by TLS. */
  readonly ports: { readonly mesh: number; readonly plain: number; readonly tls: number };
}

const orWhy = (call: Promise<string>) => call.catch((error: Error) => error.message);

/** Whether what comes is so in time; the last that came is said. */
async function comesTo(
  { check }: Rounds,
  what: string,
  call: () => Promise<string>,
  isIt: (said: string) => boolean,
): Promise<void> {
  let seen = '';
  const isSo = async () => {
    seen = await orWhy(call());
    return isIt(seen);
  };
  await until(isSo, () => 'not in time', PATIENCE_MS).then(
    () => check(what, true),
    () => check(what, false, seen),
  );
}

/** A service with a sidecar of Envoy's; `/slow` it never answers. */
async function serve(envoys: MeshEnvoys, name: string): Promise<number> {
  const [Port = 0] = await freePorts(1);
  const program = createServer(({ url, headers }, response) => {
    if (url !== '/slow') response.end(`${name}: ${url} ${headers['x-part']}`);
  });
  await new Promise<void>((resolve) => program.listen(0, '127.0.0.1', resolve));
  await envoys.put('/v1/config', { Kind: 'service-defaults', Name: name, Protocol: 'http' });
  await envoys.put('/v1/agent/service/register', {
    ...{ Name: name, Address: '127.0.0.1', Port: (program.address() as AddressInfo).port },
    Connect: { SidecarService: { Port } },
  });
  await envoys.run(`-sidecar-for=${name}`);
  return Port;
}

const gateway = ({ plain, tls }: Rounds['ports'], Hosts: readonly string[]) => ({
  ...{ Kind: 'ingress-gateway', Name: 'edge' },
  Listeners: [
    { Port: plain, Protocol: 'http', Services: [{ Name: 'api', Hosts: ['plain.example'] }] },
    { Port: tls, Protocol: 'http', TLS: { Enabled: true }, Services: [{ Name: 'api', Hosts }] },
  ],
});

async function names(rounds: Rounds): Promise<void> {
  const { envoys, ports, check } = rounds;
  const roots = await envoys.roots();
  const call = (name: string) =>
    callNamed({ port: ports.tls, name, roots }, rawGet('/', '', 'GET', 'a.example'));
  const answers = (said: string) => said.includes('api: /');
  await comesTo(
    rounds,
    'the name of a host is in its certificate',
    () => call('a.example'),
    answers,
  );
  const usual = await orWhy(call('api.ingress.consul'));
  check('and those that Consul has for services', answers(usual), usual);
  const other = await orWhy(call('b.example'));
  check('and no other one', /does not match certificate's altnames/.test(other), other);
  await envoys.put('/v1/config', gateway(ports, ['a.example', 'b.example']));
  await comesTo(rounds, 'until the entry has it', () => call('b.example'), answers);
}

async function versions(rounds: Rounds): Promise<void> {
  const { envoys, ports, check } = rounds;
  const name = await envoys.nameOf('api');
  const call = (maxVersion: 'TLSv1.2' | 'TLSv1.3') =>
    envoys.call({ port: ports.mesh, as: 'web', name, maxVersion }, rawGet('/'));
  const outside = () => callPlain(ports.plain, rawGet('/', '', 'GET', 'plain.example'));
  const answers = (said: string) => said.includes('api: /');
  await comesTo(rounds, 'TLS 1.2 is taken', () => call('TLSv1.2'), answers);
  const mesh = (TLS: object) => envoys.put('/v1/config', { Kind: 'mesh', TLS });
  await mesh({ Incoming: { TLSMinVersion: 'TLSv1_3' } });
  await comesTo(
    rounds,
    'and refused where 1.3 is asked',
    () => call('TLSv1.2'),
    (said) => !answers(said),
  );
  const newest = await orWhy(call('TLSv1.3'));
  check('which is taken', answers(newest), newest);
  await comesTo(rounds, 'and spoken by Envoys that call', outside, answers);
  const CipherSuites = ['TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384'];
  const suites = { TLSMaxVersion: 'TLSv1_2', CipherSuites };
  await mesh({ Incoming: suites, Outgoing: suites });
  await comesTo(rounds, 'one suite of TLS 1.2 alone', () => call('TLSv1.2'), answers);
  await comesTo(rounds, 'by Envoys that call too', outside, answers);
  const wrong = await orWhy(mesh({ Incoming: { TLSMinVersion: 'TLSv1.3' } }).then(() => 'taken'));
  check('a misspelt version is refused', /TLSMinVersion must be one of/.test(wrong), wrong);
  await mesh({});
}

async function parts(rounds: Rounds): Promise<void> {
  const { envoys, ports } = rounds;
  const call = (path: string) => callPlain(ports.plain, rawGet(path, '', 'GET', 'plain.example'));
  const part = (word: string) => ({ RequestHeaders: { Set: { 'x-part': word } } });
  await envoys.put('/v1/config', {
    ...{ Kind: 'service-splitter', Name: 'api' },
    Splits: [
      { Weight: 50, Service: 'api', ...part('one') },
      { Weight: 50, Service: 'other', ...part('two') },
    ],
  });
  for (const wanted of ['api: / one', 'other: / two']) {
    await comesTo(
      rounds,
      `a part of a splitter: ${wanted}`,
      () => call('/'),
      (said) => said.includes(wanted),
    );
  }
  for (const Name of ['api', 'other']) {
    await envoys.put('/v1/config', { Kind: 'service-resolver', Name, RequestTimeout: '700ms' });
  }
  await comesTo(
    rounds,
    'a resolver that waits no longer',
    () => call('/slow'),
    (said) => said.includes('504 Gateway Timeout'),
  );
}

async function run(say: (line: string) => void): Promise<number> {
  if (spawnSync(ENVOY, ['--version']).status !== 0) {
    say('skipped: there is no Envoy (ENVOY=/path/to/envoy)');
    return 0;
  }
  let bad = 0;
  const envoys = await MeshEnvoys.start(ENVOY);
  try {
    const check = (what: string, isGood: boolean, seen = '') => {
      if (!isGood) bad++;
      say(`${what}${isGood ? '' : `  FAILED: ${JSON.stringify(seen)}`}`);
    };
    const mesh = await serve(envoys, 'api');
    await serve(envoys, 'other');
    const [own = 0, plain = 0, tls = 0] = await freePorts(3);
    const ports = { mesh, plain, tls };
    await envoys.put('/v1/config', gateway(ports, ['a.example']));
    await envoys.run('-gateway=ingress', '-register', '-service=edge', `-address=127.0.0.1:${own}`);
    for (const round of [names, versions, parts]) await round({ envoys, check, ports });
    check('no Envoy refused what it was told', envoys.refused.length === 0);
  } finally {
    for (const line of envoys.refused) say(line);
    await envoys.stop();
  }
  return bad;
}

await report(run, SHORT_MS);
process.exit();
