import { type Command, explained } from '../command.ts';

interface Self {
  readonly Stats: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

export const command: Command = {
  synopsis: '[options]',
  examples: [''],
  http: 'agent',
  flags: new Map(),

  async run({ host, client }) {
    const answer = await explained(
      'Error querying agent',
      client().send({ method: 'GET', path: '/v1/agent/self' }),
    );
    for (const [section, figures] of byName((answer.json as Self).Stats)) {
      const lines = byName(figures).map(([name, value]) => `\t${name} = ${value}\n`);
      host.print(`${section}:\n${lines.join('')}`);
    }
    return 0;
  },
};

function byName<T>(of: Readonly<Record<string, T>>): readonly (readonly [string, T])[] {
  return Object.entries(of).sort(([a], [b]) => (a < b ? -1 : 1));
}
