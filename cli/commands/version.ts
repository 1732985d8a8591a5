import { CONSUL_VERSION, VERSION } from '../../lib/version.ts';
import type { Command } from '../command.ts';
import { FORMAT, wantsJson } from '../format.ts';

export const command: Command = {
  synopsis: '[options]',
  details: 'Of the Consul whose behaviour this is, and its own.',
  examples: ['', '-format=json'],
  http: 'none',
  flags: new Map([FORMAT]),

  run({ flags, host }) {
    const asJson = wantsJson(flags);
    host.print(
      asJson
        ? `${JSON.stringify({ Version: CONSUL_VERSION, Proconsul: VERSION })}\n`
        : `Consul v${CONSUL_VERSION}\nProconsul v${VERSION}, which speaks Consul's protocols\n`,
    );
    return 0;
  },
};
