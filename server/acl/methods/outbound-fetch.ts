/** The same way out for libraries that speak `fetch`: see Outbound. */
import type { Asking } from './method-type.ts';

interface Wanted {
  readonly method?: string;
  readonly headers?: ConstructorParameters<typeof Headers>[0];
  readonly body?: unknown;
}

export function outboundFetch({ outbound, signal }: Asking, ca: string) {
  return async (url: string, { method = 'GET', headers, body }: Wanted): Promise<Response> => {
    const answer = await outbound.send(
      {
        method: method === 'POST' ? 'POST' : 'GET',
        url,
        headers: Object.fromEntries(new Headers(headers)),
        body: body === undefined || body === null ? undefined : String(body),
        ca,
      },
      signal,
    );
    const { status, contentType } = answer;
    const bytes = status === 204 ? null : new Uint8Array(answer.body);
    return new Response(bytes, { status, headers: { 'Content-Type': contentType } });
  };
}
