/** Whom an event reaches, as the flags say it. */
import { RE2JS } from 're2js';
import type { Flag } from '../lib/config/flags.ts';
import { messageOf, ProconsulError } from '../lib/errors.ts';
import type { ApiClient } from './api-client.ts';
import type { FlagValues } from './flag-values.ts';

const FILTERS = ['node', 'service', 'tag'] as const;

export const FILTER_FLAGS: readonly (readonly [string, Flag])[] = [
  ['node', { kind: 'string', help: 'Pattern of the names of nodes.' }],
  ['service', { kind: 'string', help: 'Pattern of the names of services.' }],
  ['tag', { kind: 'string', help: 'Pattern of tags; with -service.' }],
];

/** Throws ProconsulError 'invalid' in Consul's words, before anything is sent. */
export function refuseBadFilters(flags: FlagValues): void {
  if (flags.text('tag') !== '' && flags.text('service') === '') {
    throw new ProconsulError('invalid', 'Cannot provide tag filter without service filter.');
  }
  for (const filter of FILTERS) {
    try {
      RE2JS.compile(flags.text(filter));
    } catch (cause) {
      const why = messageOf(cause);
      throw new ProconsulError('invalid', `Failed to compile ${filter} filter regexp: ${why}`, {
        cause,
      });
    }
  }
}

/** Fires it to whom the flags say; resolves with its ID. */
export async function fireEvent(
  api: ApiClient,
  flags: FlagValues,
  { name, body }: { readonly name: string; readonly body: string },
): Promise<string> {
  const given = FILTERS.filter((filter) => flags.text(filter) !== '');
  const answer = await api.send({
    method: 'PUT',
    path: `/v1/event/fire/${encodeURIComponent(name)}`,
    query: given.map((filter) => [filter, flags.text(filter)] as const),
    body,
  });
  return (answer.json as { readonly ID: string }).ID;
}
