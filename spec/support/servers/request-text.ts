export type Headers = Readonly<Record<string, string>>;

/** A request as a client writes it, with its length where it has a body. */
export function requestText(
  method: string,
  path: string,
  body: string,
  headers: Headers = {},
): string {
  const length = Buffer.byteLength(body);
  const all = { Host: 'localhost', ...(length > 0 && { 'Content-Length': length }), ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body}`;
}
