/** A real provider of OpenID Connect, and somebody with a browser who logs in there at once. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Provider } from 'oidc-provider';

const running: Server[] = [];

afterEach(async () => {
  for (const server of running.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

export const CLIENT = { id: 'proconsul', secret: 'planted-client-secret' };
export const REDIRECT = 'http://127.0.0.1:8550/oidc/callback';

export interface TestProvider {
  readonly url: string;
  /** Where the browser of whoever logs in ends up. */
  readonly visit: (authUrl: string) => Promise<URL>;
}

/** Everybody who comes is `ann`, with these claims; back to wherever `redirect` is, on any port. */
export async function startProvider(
  claims: Readonly<Record<string, unknown>>,
  redirect: string = REDIRECT,
): Promise<TestProvider> {
  let serve: (request: IncomingMessage, response: ServerResponse) => void = () => undefined;
  const server = createServer((request, response) => serve(request, response));
  running.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const provider = new Provider(url, {
    clients: [
      {
        client_id: CLIENT.id,
        client_secret: CLIENT.secret,
        application_type: 'native',
        redirect_uris: [redirect],
      },
    ],
    claims: { openid: ['sub'], profile: Object.keys(claims) },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_, { uid }) => `/interaction/${uid}` },
    findAccount: (_, accountId) => ({
      accountId,
      claims: () => ({ sub: accountId, ...claims }),
    }),
    pkce: { required: () => true },
    cookies: { keys: ['k'] },
  });
  const handle = provider.callback();
  serve = (request, response) => {
    if (request.url?.startsWith('/interaction/') === true) {
      void interact(provider, request, response);
    } else void handle(request, response);
  };
  return { url, visit };
}

async function interact(
  provider: Provider,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { prompt, params, grantId } = await provider.interactionDetails(request, response);
  if (prompt.name === 'login') {
    await provider.interactionFinished(request, response, { login: { accountId: 'ann' } });
    return;
  }
  const grant =
    grantId === undefined
      ? new provider.Grant({ accountId: 'ann', clientId: String(params['client_id']) })
      : await provider.Grant.find(grantId);
  grant?.addOIDCScope(String(params['scope']));
  const saved = (await grant?.save()) ?? '';
  await provider.interactionFinished(request, response, { consent: { grantId: saved } });
}

const MAX_HOPS = 10;

async function visit(authUrl: string): Promise<URL> {
  const cookies = new Map<string, string>();
  let at = new URL(authUrl);
  for (let n = 0; n < MAX_HOPS; n++) {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(at, { redirect: 'manual', headers: { cookie } });
    for (const set of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(set) ?? [];
      cookies.set(name, value);
    }
    const location = response.headers.get('location');
    if (location === null)
      throw new Error(`no way on: ${response.status} ${await response.text()}`);
    at = new URL(location, at);
    if (at.href.startsWith(REDIRECT)) return at;
  }
  throw new Error('too many hops');
}
