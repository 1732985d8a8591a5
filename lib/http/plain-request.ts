import type { IncomingMessage } from 'node:http';

/** A GET as nearly all are: no body, no wish about the connection but to keep it. */
export function isPlain({ method, httpVersion, headers }: IncomingMessage): boolean {
  return (
    method === 'GET' &&
    httpVersion === '1.1' &&
    (headers.connection === undefined || headers.connection.toLowerCase() === 'keep-alive') &&
    headers['content-length'] === undefined &&
    headers['transfer-encoding'] === undefined &&
    headers.expect === undefined &&
    headers.upgrade === undefined
  );
}
