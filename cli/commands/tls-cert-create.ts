import { existsSync, readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { systemClock } from '../../lib/clock.ts';
import { ProconsulError } from '../../lib/errors.ts';
import type { Command } from '../command.ts';
import type { FlagValues } from '../flag-values.ts';
import { writeNewFiles } from '../new-files.ts';

const ONE_YEAR = 365;

const WARNING = `==> WARNING: Server Certificates grants authority to become a
    server and access all state in the cluster including root keys
    and all ACL tokens. Do not distribute them to production hosts
    that are not server nodes. Store them as securely as CA keys.
`;

/** What a certificate is for, and what it says of that. */
const KINDS = {
  server: { usages: ['server', 'client'], ips: ['127.0.0.1'] },
  client: { usages: ['client', 'server'], ips: ['127.0.0.1'] },
  cli: { usages: [], ips: [] },
} as const;

type Kind = keyof typeof KINDS;

export const command: Command = {
  synopsis: '[options]',
  details: 'It is signed by what `tls ca create` made, or by another authority.',
  examples: ['-server', '-server -dc=dc2 -node=s1', '-client', '-cli -days=30'],
  http: 'none',
  flags: new Map([
    ['server', { kind: 'bool', help: 'Of a server: server.<datacenter>.<domain>.' }],
    ['client', { kind: 'bool', help: 'Of an agent without a server.' }],
    ['cli', { kind: 'bool', help: 'Of somebody who uses the command line.' }],
    [
      'ca',
      { kind: 'string', help: "The authority's certificate; <domain>-agent-ca.pem by default." },
    ],
    ['key', { kind: 'string', help: 'Its key; <domain>-agent-ca-key.pem by default.' }],
    ['days', { kind: 'int', help: `For how many days from now it holds; ${ONE_YEAR} by default.` }],
    ['dc', { kind: 'string', help: 'The data centre; `dc1` by default.' }],
    ['domain', { kind: 'string', help: "The cluster's domain; `consul` by default." }],
    ['node', { kind: 'string', help: 'With -server: also <node>.server.<datacenter>.<domain>.' }],
    ['additional-dnsname', { kind: 'strings', help: 'A name beside localhost.' }],
    ['additional-ipaddress', { kind: 'strings', help: 'An address beside 127.0.0.1.' }],
  ]),

  async run({ flags, host }) {
    const kind = kindOf(flags);
    const domain = flags.text('domain') || 'consul';
    const dc = flags.text('dc') || 'dc1';
    const prefix = freePrefix(`${dc}-${kind}-${domain}`);
    const caFile = flags.text('ca') || `${domain}-agent-ca.pem`;
    const caKeyFile = flags.text('key') || `${domain}-agent-ca-key.pem`;
    const authority = { cert: read(caFile, 'CA'), key: read(caKeyFile, 'CA key') };
    if (kind === 'server') host.printError(WARNING);
    host.print(`==> Using ${caFile} and ${caKeyFile}\n`);
    const { issueCertificate } = await import('../../lib/tls/issue.ts');
    const { cert, key } = await issueCertificate({
      authority,
      commonName: `${kind}.${dc}.${domain}`,
      dnsNames: namesOf(flags, kind, `${dc}.${domain}`),
      ips: [...addressesOf(flags), ...KINDS[kind].ips],
      usages: KINDS[kind].usages,
      days: daysOf(flags),
      now: systemClock.now(),
    });
    const files = [`${prefix}.pem`, `${prefix}-key.pem`] as const;
    writeNewFiles([
      { path: files[0], text: cert, isSecret: false },
      { path: files[1], text: key, isSecret: true },
    ]);
    host.print(`==> Saved ${files[0]}\n==> Saved ${files[1]}\n`);
    return 0;
  },
};

function kindOf(flags: FlagValues): Kind {
  const [kind, ...others] = (Object.keys(KINDS) as Kind[]).filter((name) => flags.isSet(name));
  if (kind === undefined || others.length > 0) {
    throw new ProconsulError('invalid', 'Please provide either -server, -client, or -cli');
  }
  if (flags.text('node') !== '' && kind !== 'server') {
    throw new ProconsulError('invalid', '-node requires -server');
  }
  return kind;
}

function namesOf(flags: FlagValues, kind: Kind, site: string): readonly string[] {
  const node = flags.text('node');
  return [
    ...flags.all('additional-dnsname'),
    ...(node === '' ? [] : [`${node}.server.${site}`]),
    `${kind}.${site}`,
    'localhost',
  ];
}

function addressesOf(flags: FlagValues): readonly string[] {
  const given = flags.all('additional-ipaddress');
  const wrong = given.find((text) => isIP(text) === 0);
  if (wrong === undefined) return given;
  throw new ProconsulError('invalid', `-additional-ipaddress: invalid ip address: ${wrong}`);
}

function daysOf(flags: FlagValues): number {
  const days = flags.has('days') ? Number(flags.text('days')) : ONE_YEAR;
  if (days < 1) throw new ProconsulError('invalid', '-days must be at least 1');
  return days;
}

/** The first number of which there is nothing yet: none is ever written over. */
function freePrefix(start: string): string {
  for (let n = 0; ; n++) {
    const prefix = `${start}-${n}`;
    if (!existsSync(`${prefix}.pem`) && !existsSync(`${prefix}-key.pem`)) return prefix;
  }
}

function read(path: string, what: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    const isMissing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    const why = isMissing ? 'no such file or directory' : (cause as Error).message;
    throw new ProconsulError('invalid', `Error reading ${what}: open ${path}: ${why}`, { cause });
  }
}
