/** The same as the page does or asks, as commands to be copied: of curl's and of Proconsul's. */
import type { Action } from './action.ts';
import { inDatacenter } from './asked-path.ts';
import { otherDatacenter } from './datacenter.ts';
import { isAsWritten } from './path.ts';
import { shownOf } from './secrets.ts';
import { canBeSaid, commandText, quoted } from './shell.ts';

/** Who is asked, and whether by a token. */
export interface Asked {
  readonly origin: string;
  readonly hasToken: boolean;
}

/**
 * The token is named, and no secret is written out: commands are pasted where others read them. Undefined where a path
 * leads to it no more than a browser.
 */
export function curlOf(action: Action, { origin, hasToken }: Asked): string | undefined {
  const { method, path, body: said, datacenter } = shownOf(action);
  if (!isAsWritten(path)) return undefined;
  const parts = ['curl', '-X', method, ...byToken(hasToken)];
  const isWord = canBeSaid(said ?? '');
  // As it stands: with -d what begins with @ is read from a file.
  if (said !== undefined) {
    parts.push(...(isWord ? ['--data-raw', quoted(said)] : ['--data-binary', '@-']));
  }
  const curl = [...parts, quoted(origin + inDatacenter(path, datacenter))].join(' ');
  return said === undefined || isWord ? curl : `${printed(said)} | ${curl}`;
}

/** What no word holds: a program writes it. */
function printed(text: string): string {
  return `printf %b ${quoted(text.replaceAll('\\', '\\\\').replaceAll('\0', '\\0000'))}`;
}

/** The same for what is only read. */
export function curlOfRead(path: string, { origin, hasToken }: Asked): string | undefined {
  if (!isAsWritten(path)) return undefined;
  const parts = ['curl', ...byToken(hasToken)];
  return [...parts, quoted(origin + inDatacenter(path))].join(' ');
}

function byToken(hasToken: boolean): readonly string[] {
  return hasToken ? ['-H', '"X-Consul-Token: $CONSUL_HTTP_TOKEN"'] : [];
}

/** Where a command asks that is told nothing else. */
export const LOCAL = 'http://127.0.0.1:8500';

/** A command asks the data centre of its agent. */
export function commandOf(action: Action, origin: string): string | undefined {
  const { path, command, input, datacenter = otherDatacenter.value } = shownOf(action);
  if (command === undefined || datacenter !== '' || !isAsWritten(path)) return undefined;
  if (!canBeSaid(...command.words, ...(command.args ?? []))) return undefined;
  const at = origin === LOCAL ? '' : `CONSUL_HTTP_ADDR=${quoted(origin)} `;
  const called = at + commandText(command);
  return input === undefined ? called : `printf %s ${quoted(input)} | ${called}`;
}
