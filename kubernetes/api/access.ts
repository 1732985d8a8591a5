/** Where an API server is and who asks it, as a pod's surroundings say it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ProconsulError } from '../../lib/errors.ts';

export interface ApiAccess {
  /** Its path, if any, is before all others. */
  readonly url: URL;
  /** Where objects are that name no namespace. */
  readonly namespace: string;
  /** Asked before each request: tokens and certificates are files that are put in place of older ones. */
  credentials(): Credentials;
}

export interface Credentials {
  /** '' for none. */
  readonly token: string;
  readonly tls: ApiTls;
}

export interface ApiTls {
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
  readonly servername?: string;
  readonly rejectUnauthorized?: boolean;
}

export type Env = Readonly<Record<string, string | undefined>>;

const FOLDER = '/var/run/secrets/kubernetes.io/serviceaccount';

/** By the service account of the pod; undefined outside of one. */
export function accessOfPod(env: Env, folder = FOLDER): ApiAccess | undefined {
  const host = env['KUBERNETES_SERVICE_HOST'] ?? '';
  const port = env['KUBERNETES_SERVICE_PORT'] ?? '';
  if (host === '' || port === '') return undefined;
  return {
    url: urlOf(`https://${host.includes(':') ? `[${host}]` : host}:${port}`),
    namespace: readText(join(folder, 'namespace')) || 'default',
    credentials: () => ({
      token: readText(join(folder, 'token')),
      tls: { ca: readBytes(join(folder, 'ca.crt')) },
    }),
  };
}

/** Throws ProconsulError 'invalid'. */
export function urlOf(text: string): URL {
  if (URL.canParse(text)) {
    const url = new URL(text);
    if (url.protocol === 'https:' || url.protocol === 'http:') return url;
  }
  throw new ProconsulError('invalid', `the address of the API server is no URL: ${text}`);
}

export function readText(path: string): string {
  return readBytes(path).toString().trim();
}

/** Throws ProconsulError 'unavailable': a file that is missing now may be there soon. */
export function readBytes(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new ProconsulError('unavailable', `cannot read ${path}`, { cause });
  }
}
