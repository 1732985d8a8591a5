/** Where an agent is, by the text that -http-addr and CONSUL_HTTP_ADDR hold. */
import { ProconsulError } from '../lib/errors.ts';

export interface AgentAddress {
  readonly scheme: 'http' | 'https';
  readonly socketPath?: string;
  /** With the port, as the user wrote it. */
  readonly address: string;
  /** What goes before every path, where a gateway stands before the agent: begins with a slash. */
  readonly prefix?: string;
}

/**
 * `secure` is for an address that does not say how it is spoken to. Throws ProconsulError 'invalid' for what is
 * none, and never repeats what may be a secret: errors are logged.
 */
export function agentAddress(text: string, secure: boolean): AgentAddress {
  const [, written = secure ? 'https' : 'http', rest = text] =
    /^([a-z+]+):\/\/(.*)$/is.exec(text) ?? [];
  if (written === 'unix') return socketAt(rest);
  if (written !== 'http' && written !== 'https')
    throw invalid(`Unknown protocol scheme: ${written}`);
  if (/[@?#]/.test(rest)) {
    const why = 'it has a user or parameters in it, which nobody would be told';
    throw invalid(`Invalid address: ${why}; CONSUL_HTTP_AUTH and -token-file are for those`);
  }
  const [, host = '', path = ''] = /^([^/]*)(.*)$/s.exec(rest) ?? [];
  // A port alone is this machine's, as for Go.
  const address = host.replace(/^:(?=\d)/, '127.0.0.1:');
  const prefix = path.replace(/\/+$/, '');
  if (!URL.canParse(`${written}://${address}${prefix}`)) throw invalid(`Invalid address: ${text}`);
  return { scheme: written, address, prefix };
}

function socketAt(path: string): AgentAddress {
  if (path === '') throw invalid('Invalid address: unix:// is to be followed by a path');
  return { scheme: 'http', address: 'localhost', socketPath: path };
}

function invalid(why: string): ProconsulError {
  return new ProconsulError('invalid', why);
}
