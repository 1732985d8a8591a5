import type { Proconsul } from '../servers/proconsul.ts';
import { send } from '../servers/start-server.ts';

/** POST installs the key, PUT uses it, DELETE removes it. */
export async function changeKeyring(
  { port }: Proconsul,
  method: 'POST' | 'PUT' | 'DELETE',
  Key: string,
  token = '',
): Promise<void> {
  const body = JSON.stringify({ Key });
  // Node says nothing of the body of a DELETE by itself.
  const headers = {
    'content-length': String(body.length),
    ...(token !== '' && { 'X-Consul-Token': token }),
  };
  const { status, text } = await send(port, method, '/v1/operator/keyring', { body, headers });
  if (status !== 200) throw new Error(`${method} of a key: ${status} ${text}`);
}
