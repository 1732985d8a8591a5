import { systemClock } from '../../lib/clock.ts';
import { ProconsulError } from '../../lib/errors.ts';
import type { Command } from '../command.ts';
import { refuseExisting, writeNewFiles } from '../new-files.ts';

const FIVE_YEARS = 1825;

export const command: Command = {
  synopsis: '[options]',
  details:
    'Whoever has its key can make certificates that the whole cluster trusts: it belongs on none ' +
    "of the cluster's machines.",
  examples: ['', '-domain=acme -name-constraint'],
  http: 'none',
  flags: new Map([
    [
      'days',
      { kind: 'int', help: `For how many days from now it holds; ${FIVE_YEARS} by default.` },
    ],
    ['domain', { kind: 'string', help: "The cluster's domain; `consul` by default." }],
    [
      'name-constraint',
      { kind: 'bool', help: 'It may vouch for names of the domain and for localhost alone.' },
    ],
    [
      'additional-name-constraint',
      { kind: 'strings', help: 'With -name-constraint: a name for which it may vouch too.' },
    ],
  ]),

  async run({ flags, host }) {
    const domain = flags.text('domain') || 'consul';
    const [certFile, keyFile] = [`${domain}-agent-ca.pem`, `${domain}-agent-ca-key.pem`];
    refuseExisting([certFile, keyFile]);
    // Loaded by the few commands that need it.
    const { createAuthority } = await import('../../lib/tls/issue.ts');
    const days = flags.has('days') ? Number(flags.text('days')) : FIVE_YEARS;
    if (days < 1) throw new ProconsulError('invalid', '-days must be at least 1');
    const named = [...flags.all('additional-name-constraint'), domain, 'localhost'];
    const permitted = flags.isSet('name-constraint') ? named : [];
    const { cert, key } = await createAuthority({ days, permitted, now: systemClock.now() });
    writeNewFiles([
      { path: certFile, text: cert, isSecret: false },
      { path: keyFile, text: key, isSecret: true },
    ]);
    host.print(`==> Saved ${certFile}\n==> Saved ${keyFile}\n`);
    return 0;
  },
};
