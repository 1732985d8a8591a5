/** The token by which the page asks. It is kept for this tab, or for this device where somebody says so. */
import { signal } from '@preact/signals';
import { forgetWhoLeft } from './left.ts';
import { stored } from './stored.ts';

forgetWhoLeft();

const ofTab = stored('token', 'session');
const ofDevice = stored('token');

/** The first letter that no header carries; undefined where all may be sent. */
export function strangeIn(
  secret: string,
): { readonly letter: string; readonly at: number } | undefined {
  const found = /[^\t\x20-\x7e\x80-\xff]/u.exec(secret);
  return found === null ? undefined : { letter: found[0], at: found.index + 1 };
}

/** What is stored may have been written by anybody. */
function sendable(secret: string): string {
  return strangeIn(secret) === undefined ? secret : '';
}

export const token = signal(sendable(ofTab.read()) || sendable(ofDevice.read()));

export function setToken(secret: string, { remembers = false } = {}): void {
  ofTab.write(secret);
  ofDevice.write(remembers ? secret : '');
  token.value = secret;
}
