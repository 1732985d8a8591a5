import { ProconsulError } from '../../lib/errors.ts';
import { type Command, explained } from '../command.ts';

export const command: Command = {
  synopsis: '[options]',
  details: 'Until it is told to end.',
  examples: ['', '-log-level=debug -log-json'],
  http: 'agent',
  flags: new Map([
    ['log-json', { kind: 'bool', help: 'Lines as JSON.' }],
    [
      'log-level',
      { kind: 'string', help: 'The least that is shown: trace, debug, info, warn, err.' },
    ],
  ]),

  async run({ flags, host, client }) {
    const level = flags.text('log-level') || 'info';
    const query = [
      ['loglevel', level] as const,
      ...(flags.isSet('log-json') ? [['logjson', 'true'] as const] : []),
    ];
    try {
      const parts = await explained(
        'Error starting monitor',
        client().stream({ method: 'GET', path: '/v1/agent/monitor', query }),
      );
      for await (const part of parts) host.print(part);
    } catch (cause) {
      if (host.signal.aborted) return 0;
      throw cause instanceof ProconsulError ? cause : ended(cause);
    }
    throw ended(undefined);
  },
};

function ended(cause: unknown): ProconsulError {
  return new ProconsulError('unavailable', 'The agent ended the log: it may have ended itself.', {
    cause,
  });
}
