/** What somebody may have done: one write, and the same as a command of curl's and of Proconsul's. */
import type { Action } from './action.ts';
import { ask, inDatacenter } from './api.ts';
import { otherDatacenter } from './datacenter.ts';
import { Refusal } from './refusal.ts';
import { shownOf } from './secrets.ts';
import { commandText, quoted } from './shell.ts';
import { token } from './token.ts';

/** As the status of a conflict. */
export const NOT_DONE = 409;

/** Rejects with a Refusal. */
export async function perform<T>({ method, path, body }: Action): Promise<T> {
  const { value } = await ask<T>(path, { method, body });
  // Of a write with a condition: it was not done.
  if (value === false) throw new Refusal('refused', NOT_DONE, '');
  return value;
}

/** The token is named, and no secret is written out: commands are pasted where others read them. */
export function curlOf(action: Action, origin: string): string {
  const { method, path, body } = shownOf(action);
  const parts = ['curl', '-X', method, ...byToken()];
  if (body !== undefined) {
    // As it stands: with -d what begins with @ is read from a file.
    parts.push('--data-raw', quoted(typeof body === 'string' ? body : JSON.stringify(body)));
  }
  return [...parts, quoted(origin + inDatacenter(path))].join(' ');
}

/** The same for what is only read. */
export function curlOfRead(path: string): string {
  return ['curl', ...byToken(), quoted(location.origin + inDatacenter(path))].join(' ');
}

function byToken(): readonly string[] {
  return token.value === '' ? [] : ['-H', '"X-Consul-Token: $CONSUL_HTTP_TOKEN"'];
}

/** A command asks the data centre of its agent. */
export function commandOf(action: Action): string | undefined {
  const { command, input } = shownOf(action);
  if (command === undefined || otherDatacenter.value !== '') return undefined;
  const text = commandText(command);
  return input === undefined ? text : `printf %s ${quoted(input)} | ${text}`;
}
