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
    const opening = client().stream({ method: 'GET', path: '/v1/agent/monitor', query });
    try {
      const parts = await explained('Error starting monitor', opening);
      await show(parts, host.print);
    } catch (cause) {
      if (host.signal.aborted) return 0;
      throw cause;
    }
    throw ended(undefined);
  },
};

async function show(parts: AsyncIterable<Buffer>, print: (part: Buffer) => void): Promise<void> {
  try {
    for await (const part of parts) print(part);
  } catch (cause) {
    throw ended(cause);
  }
}

function ended(cause: unknown): ProconsulError {
  return new ProconsulError('unavailable', 'The agent ended the log: it may have ended itself.', {
    cause,
  });
}
