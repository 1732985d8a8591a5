import { ProconsulError } from '../../lib/errors.ts';
import type { ApiClient } from '../api-client.ts';
import { TOKEN, wholeId } from './find.ts';
import type { Token } from './objects.ts';

/** The rules of a token of before 1.4 in today's syntax; it is named by its secret or its accessor. */
export async function legacyRules(
  api: ApiClient,
  token: string,
  isSecret: boolean,
): Promise<string> {
  const { Rules } = isSecret ? await bySecret(api, token) : await byAccessor(api, token);
  if (!Rules) throw new ProconsulError('invalid', 'Token is not a legacy token with rules');
  return await translated(api, Rules);
}

async function bySecret(api: ApiClient, secret: string): Promise<Token> {
  return (await api.send({ method: 'GET', path: '/v1/acl/token/self', token: secret }))
    .json as Token;
}

async function byAccessor(api: ApiClient, start: string): Promise<Token> {
  const id = encodeURIComponent(await wholeId(api, TOKEN, start));
  return (await api.send({ method: 'GET', path: `/v1/acl/token/${id}` })).json as Token;
}

/** Rules of the old syntax as the agent says them in today's. Of rules that are none it says why. */
export async function translated(api: ApiClient, rules: string): Promise<string> {
  const path = '/v1/acl/rules/translate';
  const answer = await api.send({ method: 'POST', path, body: rules, accept: [400] });
  if (answer.status === 200) return answer.text;
  throw new ProconsulError('invalid', answer.text.replace(/^Bad request: /, ''));
}
