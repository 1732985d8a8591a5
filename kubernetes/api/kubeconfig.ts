/** Where an API server is and who asks it, as kubectl's files say it. */
import { dirname, resolve } from 'node:path';
import { messageOf, ProconsulError } from '../../lib/errors.ts';
import { type ApiAccess, type ApiTls, readBytes, readText, urlOf } from './access.ts';
import { objectIn, objectsIn, type Said, textIn } from './shapes.ts';

/** Reads the files in their order: of what several of them say the first counts. Throws ProconsulError. */
export async function accessByKubeconfig(paths: readonly string[]): Promise<ApiAccess> {
  const { parseYaml } = await import('./yaml.ts');
  const files = paths.map((path) => ({ path, said: parsed(path, parseYaml) }));
  const current = files
    .map(({ said }) => textIn(said['current-context']))
    .find((name) => name !== '');
  if (current === undefined) throw refused(`${paths.join(':')} names no current-context`);
  const context = entry(files, 'contexts', 'context', current).said;
  const cluster = entry(files, 'clusters', 'cluster', textIn(context['cluster']));
  const userName = textIn(context['user']);
  const user = userName === '' ? { said: {}, path: '' } : entry(files, 'users', 'user', userName);
  refuseWays(cluster.said, user.said);
  return {
    url: urlOf(textIn(cluster.said['server'])),
    namespace: textIn(context['namespace']) || 'default',
    credentials: () => ({
      token: tokenOf(user),
      tls: { ...trustOf(cluster), ...certificateOf(user) },
    }),
  };
}

/** A part of a file; other files that it names are beside that one. */
interface Part {
  readonly path: string;
  readonly said: Said;
}

function parsed(path: string, parse: (text: string) => unknown): Said {
  const text = readBytes(path).toString();
  try {
    return objectIn(parse(text));
  } catch (cause) {
    throw new ProconsulError('invalid', `${path}: ${messageOf(cause)}`, { cause });
  }
}

function entry(files: readonly Part[], list: string, what: string, name: string): Part {
  for (const { path, said } of files) {
    const found = objectsIn(said[list]).find((each) => each['name'] === name);
    if (found !== undefined) return { path, said: objectIn(found[what]) };
  }
  throw refused(`the kubeconfig has no ${what} "${name}"`);
}

/** What is not done is said, and not passed over: the requests would go out in nobody's name. */
function refuseWays(cluster: Said, user: Said): void {
  if (cluster['proxy-url'] !== undefined) throw refused('a kubeconfig with proxy-url is not taken');
  for (const way of ['exec', 'auth-provider', 'username', 'as']) {
    if (user[way] === undefined) continue;
    throw refused(
      `a kubeconfig whose user has "${way}" is not taken: use a token, a tokenFile or a client certificate, ` +
        'such as `kubectl create token` makes',
    );
  }
}

function tokenOf({ path, said }: Part): string {
  const file = textIn(said['tokenFile']);
  return file === '' ? textIn(said['token']) : readText(resolve(dirname(path), file));
}

function trustOf(cluster: Part): ApiTls {
  const ca = bytesOf(cluster, 'certificate-authority');
  const servername = textIn(cluster.said['tls-server-name']);
  return {
    ...(ca !== undefined && { ca }),
    ...(servername !== '' && { servername }),
    ...(cluster.said['insecure-skip-tls-verify'] === true && { rejectUnauthorized: false }),
  };
}

function certificateOf(user: Part): ApiTls {
  const [cert, key] = [bytesOf(user, 'client-certificate'), bytesOf(user, 'client-key')];
  return cert === undefined || key === undefined ? {} : { cert, key };
}

/** In the file itself, as `-data`, before another one that it names. */
function bytesOf({ path, said }: Part, name: string): Buffer | undefined {
  const data = textIn(said[`${name}-data`]);
  if (data !== '') return Buffer.from(data, 'base64');
  const file = textIn(said[name]);
  return file === '' ? undefined : readBytes(resolve(dirname(path), file));
}

function refused(why: string): ProconsulError {
  return new ProconsulError('invalid', why);
}
