/** The token by which the page asks. It is kept for this tab, or for this device where somebody says so. */
import { signal } from '@preact/signals';
import { stored } from './stored.ts';

const ofTab = stored('token', 'session');
const ofDevice = stored('token');

export const token = signal(ofTab.read() || ofDevice.read());

export function setToken(secret: string, { remembers = false } = {}): void {
  ofTab.write(secret);
  ofDevice.write(remembers ? secret : '');
  token.value = secret;
}
