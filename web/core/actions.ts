/** What somebody may have done: one write, and the same as a command of curl's and of Proconsul's. */
import { ask } from './api.ts';
import { token } from './token.ts';

export interface Action {
  readonly method: 'PUT' | 'POST' | 'DELETE';
  readonly path: string;
  readonly body?: string | object | undefined;
  /** The command behind `proconsul`; undefined where there is none. */
  readonly command?: readonly string[] | undefined;
}

/** Rejects with a Refusal. */
export async function perform<T>({ method, path, body }: Action): Promise<T> {
  const { value } = await ask<T>(path, { method, body });
  return value;
}

/** The token is named, and never written out: commands are pasted where others read them. */
export function curlOf({ method, path, body }: Action, origin: string): string {
  const parts = ['curl', '-X', method];
  if (token.value !== '') parts.push('-H', '"X-Consul-Token: $CONSUL_HTTP_TOKEN"');
  if (body !== undefined) {
    parts.push('-d', quoted(typeof body === 'string' ? body : JSON.stringify(body)));
  }
  return [...parts, quoted(origin + path)].join(' ');
}

export function commandOf({ command }: Action): string | undefined {
  return command && ['proconsul', ...command].map(quoted).join(' ');
}

/** For a shell: what is plain stays so. */
function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
