import { ProconsulError } from '../../lib/errors.ts';
import { encodeJson } from '../../lib/json.ts';
import { LOAD_PATH, type LoadReport } from '../../lib/load.ts';
import type { Upstream } from './upstream.ts';

const TIMEOUT_MS = 5000;

/** Rejects where no server has taken it, or none is known to have. */
export async function tellLoad(
  upstream: Pick<Upstream, 'ask'>,
  report: LoadReport,
  token: string,
): Promise<void> {
  if (report.Instances.length === 0) return;
  const { status, body } = await upstream.ask({
    way: 'sync',
    method: 'PUT',
    target: LOAD_PATH,
    // Whoever takes it adds up: agents spread over the servers.
    key: `node:${report.Node}`,
    token,
    timeoutMs: TIMEOUT_MS,
    body: Buffer.from(encodeJson(report)),
  });
  if (status === 200) return;
  throw new ProconsulError('unavailable', `${status} ${body.toString().slice(0, 200)}`);
}
