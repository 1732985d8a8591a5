/**
 * Service accounts of Kubernetes: the API server is asked whether a token is one's, and whose. Asked
 * with a token of our own, to an API server whose certificate we know.
 */
import { ProconsulError } from '../../../lib/errors.ts';
import type { StructSchema } from '../../../lib/filter/fields.ts';
import { decodeJson } from '../../../lib/json.ts';
import { hasCertificate, invalid, readConfig, type Values } from './config.ts';
import { jwsComplaint, refuseMalformed } from './jws.ts';
import type { Asking, Identity, MethodConfig, MethodType } from './method-type.ts';
import type { Call, Called } from './outbound.ts';

const FIELDS = { Host: 'text', CACert: 'text', ServiceAccountJWT: 'text' } as const;
type KubernetesConfig = Values<typeof FIELDS>;

const string = { kind: 'string' } as const;
const ACCOUNT: StructSchema = {
  kind: 'struct',
  fields: { namespace: string, name: string, uid: string },
};
const VARIABLES = ['namespace', 'name', 'uid'].map((name) => `serviceaccount.${name}`);

/** The name that an account says it has in the registry. */
const NAME_ANNOTATION = 'consul.hashicorp.com/service-name';

export const kubernetes: MethodType = {
  fields: { kind: 'struct', fields: { serviceaccount: ACCOUNT } },
  variables: () => VARIABLES,
  check(config) {
    const { Host, CACert, ServiceAccountJWT } = readConfig(config, FIELDS);
    if (Host === '') throw invalid('Config.Host is required');
    if (CACert === '') throw invalid('Config.CACert is required');
    if (!hasCertificate(CACert)) {
      throw invalid(
        'error parsing kubernetes ca cert: data does not contain any valid RSA or ECDSA certificates',
      );
    }
    if (ServiceAccountJWT === '') throw invalid('Config.ServiceAccountJWT is required');
    const complaint = jwsComplaint(ServiceAccountJWT);
    if (complaint !== undefined) {
      throw invalid(`Config.ServiceAccountJWT is not a valid JWT: ${complaint}`);
    }
    if (!URL.canParse(baseOf(Host))) throw invalid('Config.Host is not a valid URL');
  },
  login,
};

/** A host alone is one that speaks TLS. */
function baseOf(host: string): string {
  return (/^https?:\/\//i.test(host) ? host : `https://${host}`).replace(/\/+$/, '');
}

async function login(config: MethodConfig, bearer: string, asking: Asking): Promise<Identity> {
  refuseMalformed(bearer, 'failed to parse and validate JWT');
  const api = new KubernetesApi(readConfig(config, FIELDS), bearer, asking);
  const account = await api.review();
  const name = await api.nameOf(account);
  const { namespace, uid } = account;
  return {
    selectable: { serviceaccount: { namespace, name, uid } },
    variables: new Map([
      ['serviceaccount.namespace', namespace],
      ['serviceaccount.name', name],
      ['serviceaccount.uid', uid],
    ]),
  };
}

interface Account {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

interface Review {
  readonly status?: {
    readonly authenticated?: unknown;
    readonly error?: unknown;
    readonly user?: { readonly username?: unknown; readonly uid?: unknown };
  };
}

interface ServiceAccount {
  readonly metadata?: { readonly annotations?: Readonly<Record<string, unknown>> };
}

/** No slash and no percent sign: it is to be a part of a path. */
const OBJECT_NAME = /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/;
const MAX_MESSAGE_LENGTH = 256;

class KubernetesApi {
  readonly #config: KubernetesConfig;
  readonly #bearer: string;
  readonly #asking: Asking;

  constructor(config: KubernetesConfig, bearer: string, asking: Asking) {
    this.#config = config;
    this.#bearer = bearer;
    this.#asking = asking;
  }

  /** Whose the bearer token is. */
  async review(): Promise<Account> {
    const said = (await this.#ask('POST', '/apis/authentication.k8s.io/v1/tokenreviews', {
      what: 'post tokenreviews.authentication.k8s.io',
      body: JSON.stringify({
        kind: 'TokenReview',
        apiVersion: 'authentication.k8s.io/v1',
        spec: { token: this.#bearer },
      }),
    })) as Review;
    const { authenticated, error, user } = said.status ?? {};
    const failed = (why: string) => new ProconsulError('rejected', `lookup failed: ${why}`);
    if (typeof error === 'string' && error !== '') throw failed(this.#hidden(error));
    if (authenticated !== true) throw failed('service account jwt not valid');
    const parts = textOf(user?.username).split(':');
    const [system, serviceAccount, namespace = '', name = ''] = parts;
    if (parts.length !== 4) throw failed('unexpected username format');
    if (system !== 'system' || serviceAccount !== 'serviceaccount') {
      throw failed('username returned is not a service account');
    }
    return { namespace, name, uid: textOf(user?.uid) };
  }

  /** What it is called in the registry: its own name, unless it says another. */
  async nameOf({ namespace, name }: Account): Promise<string> {
    const failed = (why: string) =>
      new ProconsulError('rejected', `annotation lookup failed: ${why}`);
    if (!OBJECT_NAME.test(namespace)) throw failed('invalid namespace');
    if (!OBJECT_NAME.test(name)) throw failed('invalid name');
    const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${name}`;
    const what = `get serviceaccounts ${name}`;
    const said = await this.#ask('GET', path, { what }).catch((error: Error) => {
      throw failed(error.message);
    });
    const annotations = (said as ServiceAccount).metadata?.annotations;
    const given = textOf(annotations?.[NAME_ANNOTATION]);
    return given === '' ? name : given;
  }

  async #ask(
    method: Call['method'],
    path: string,
    { what, body }: { readonly what: string; readonly body?: string },
  ): Promise<object> {
    const { Host, CACert, ServiceAccountJWT } = this.#config;
    const { outbound, signal } = this.#asking;
    const headers = {
      Authorization: `Bearer ${ServiceAccountJWT}`,
      ...(body !== undefined && { 'Content-Type': 'application/json' }),
    };
    const url = `${baseOf(Host)}${path}`;
    const called = await outbound.send({ method, url, headers, body, ca: CACert }, signal);
    const said = objectIn(called);
    if (said !== undefined && isSuccess(called)) return said;
    throw new ProconsulError('rejected', this.#refusal(called, said, what));
  }

  #refusal({ status }: Called, said: object | undefined, what: string): string {
    const { kind, message } = (said ?? {}) as { kind?: unknown; message?: unknown };
    if (kind === 'Status' && textOf(message) !== '') return this.#hidden(textOf(message));
    const why = REFUSALS.get(status) ?? `the server answered ${status} with no object`;
    return `${why} (${what})`;
  }

  /** Whoever logs in reads this: not all that an API server says is for everybody. */
  #hidden(message: string): string {
    const { ServiceAccountJWT } = this.#config;
    const hidden = [ServiceAccountJWT, this.#bearer].reduce(
      (text, secret) => text.replaceAll(secret, '<hidden>'),
      message,
    );
    return hidden.slice(0, MAX_MESSAGE_LENGTH);
  }
}

const REFUSALS: ReadonlyMap<number, string> = new Map([
  [401, 'the server has asked for the client to provide credentials'],
  [403, 'the server does not allow this to the configured service account'],
  [404, 'the server could not find the requested resource'],
]);

function isSuccess({ status }: Called): boolean {
  return status >= 200 && status < 300;
}

function objectIn({ body }: Called): object | undefined {
  try {
    const value = decodeJson(body.toString());
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
