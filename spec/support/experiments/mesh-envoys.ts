/** Envoys of the mesh as `connect envoy` runs them, at an agent of their own, and who calls them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect as connectPlain } from 'node:net';
import { connect as connectTls, type SecureVersion } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { freePort } from '../servers/free-ports.ts';
import { killProconsuls, type Proconsul, startProconsul } from '../servers/proconsul.ts';
import { send } from '../servers/start-server.ts';
import { until } from '../until.ts';

const COMMAND = fileURLToPath(new URL('../../../bin/proconsul', import.meta.url));
const PATIENCE_MS = 60_000;

interface Leaf {
  readonly CertPEM: string;
  readonly PrivateKeyPEM: string;
}

interface Roots {
  readonly TrustDomain: string;
  readonly Roots: readonly { readonly RootCert: string }[];
}

/** How a service of the mesh calls another: where, and by which name its TLS asks. */
export interface MeshCall {
  readonly port: number;
  /** Whose certificate it shows. */
  readonly as: string;
  readonly name: string;
  /** The newest that it speaks. */
  readonly maxVersion?: SecureVersion;
}

export class MeshEnvoys {
  readonly #envoy: string;
  readonly #agent: Proconsul;
  readonly #grpc: number;
  readonly #running = new Set<ChildProcess>();

  /** For Envoy itself, beside what it is always run with. */
  readonly #flags: readonly string[];

  private constructor(envoy: string, flags: readonly string[], agent: Proconsul, grpc: number) {
    this.#envoy = envoy;
    this.#flags = flags;
    this.#agent = agent;
    this.#grpc = grpc;
  }

  static async start(envoy: string, ...flags: readonly string[]): Promise<MeshEnvoys> {
    const grpc = await freePort();
    const agent = await startProconsul(['-dev', `-grpc-port=${grpc}`]);
    return new MeshEnvoys(envoy, flags, agent, grpc);
  }

  async stop(): Promise<void> {
    await Promise.all(
      [...this.#running].map(async (each) => {
        each.kill('SIGTERM');
        await once(each, 'close');
      }),
    );
    await killProconsuls();
  }

  /** What Envoys refused to take, as the agent's log has it. */
  get refused(): readonly string[] {
    return this.#agent.output.split('\n').filter((line) => line.includes('refused what'));
  }

  async put(path: string, body: object): Promise<void> {
    const { status, text } = await send(this.#agent.port, 'PUT', path, { body });
    if (status !== 200) throw new Error(`${path}: ${status} ${text}`);
  }

  async get<T>(path: string): Promise<T> {
    const { status, text, json } = await send(this.#agent.port, 'GET', path, {});
    if (status !== 200) throw new Error(`${path}: ${status} ${text}`);
    return json as T;
  }

  /** As those words of `connect envoy` say; resolves when it has been told all. */
  async run(...words: readonly string[]): Promise<void> {
    const admin = await freePort();
    const child = spawn(
      COMMAND,
      [
        ...['connect', 'envoy', ...words, `-envoy-binary=${this.#envoy}`],
        ...[`-http-addr=127.0.0.1:${this.#agent.port}`, `-grpc-addr=127.0.0.1:${this.#grpc}`],
        ...[`-admin-bind=127.0.0.1:${admin}`, '--', '--concurrency', '1', '-l', 'error'],
        ...this.#flags,
      ],
      { stdio: ['ignore', 'inherit', 'inherit'] },
    );
    this.#running.add(child);
    child.once('close', () => this.#running.delete(child));
    const isReady = async () => {
      const { status } = await send(admin, 'GET', '/ready', {}).catch(() => ({ status: 0 }));
      return status === 200;
    };
    await until(isReady, () => `connect envoy ${words.join(' ')} is not ready`, PATIENCE_MS);
  }

  /** A sidecar of our own, as those words of `connect proxy` say. */
  runOwn(...words: readonly string[]): void {
    const agent = `-http-addr=127.0.0.1:${this.#agent.port}`;
    const child = spawn(COMMAND, ['connect', 'proxy', agent, '-log-level=err', ...words], {
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    this.#running.add(child);
    child.once('close', () => this.#running.delete(child));
  }

  /** The name of a service for those who call it in the mesh. */
  async nameOf(service: string): Promise<string> {
    const { TrustDomain } = await this.get<Roots>('/v1/connect/ca/roots');
    return `${service}.default.dc1.internal.${TrustDomain}`;
  }

  /** By which whoever is outside knows those in the mesh. */
  async roots(): Promise<string[]> {
    const { Roots } = await this.get<Roots>('/v1/connect/ca/roots');
    return Roots.map(({ RootCert }) => RootCert);
  }

  /** What comes back for these bytes, by mutual TLS; rejects where the connection is refused. */
  async call({ port, as, name, maxVersion }: MeshCall, bytes: string): Promise<string> {
    const leaf = await this.get<Leaf>(`/v1/agent/connect/ca/leaf/${as}`);
    const { Roots } = await this.get<Roots>('/v1/connect/ca/roots');
    const socket = connectTls({
      ...{ host: '127.0.0.1', port, servername: name, ...(maxVersion && { maxVersion }) },
      ...{ cert: leaf.CertPEM, key: leaf.PrivateKeyPEM, ca: Roots.map(({ RootCert }) => RootCert) },
      // Services have URIs for names.
      checkServerIdentity: () => undefined,
    });
    return await answerOn(socket, bytes);
  }
}

/** From outside: whoever answers must have that name in his certificate. Rejects where he has not. */
export async function callNamed(
  { port, name, roots }: { readonly port: number; readonly name: string; readonly roots: string[] },
  bytes: string,
): Promise<string> {
  const socket = connectTls({ host: '127.0.0.1', port, servername: name, ca: roots });
  return await answerOn(socket, bytes);
}

/** The same without TLS. */
export async function callPlain(port: number, bytes: string): Promise<string> {
  return await answerOn(connectPlain(port, '127.0.0.1'), bytes);
}

function answerOn(socket: NodeJS.ReadWriteStream, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    socket.on('data', (part: Buffer) => {
      text += part.toString('latin1');
    });
    socket.once('error', reject);
    socket.once('close', () => resolve(text));
    socket.write(bytes, 'latin1');
  });
}

/** As it stands: no client would tidy it up. */
export function rawGet(path: string, headers = '', method = 'GET', host = 'h'): string {
  return `${method} ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n${headers}\r\n`;
}
