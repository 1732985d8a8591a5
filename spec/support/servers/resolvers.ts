/** Real resolvers and a load balancer that ask a DNS server of ours, each in a folder of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { until } from '../until.ts';
import { askUdp } from './dns-client.ts';
import { freePort } from './free-ports.ts';

const START_MS = 20_000;

/** Whatever it started, `stop` ends. */
export class Resolver {
  readonly port: number;
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #said: string[] = [];

  private constructor(port: number, folder: string, child: ChildProcess) {
    this.port = port;
    this.#folder = folder;
    this.#child = child;
    child.stdout?.on('data', (part) => this.#said.push(String(part)));
    child.stderr?.on('data', (part) => this.#said.push(String(part)));
  }

  /** Forwards `.consul` to the DNS server at this port. */
  static unbound(dnsPort: number): Promise<Resolver> {
    return Resolver.#resolver('unbound', (port, folder) => ({
      args: ['-d', '-c', path.join(folder, 'conf')],
      conf: `
server:
  interface: 127.0.0.1@${port}
  access-control: 127.0.0.0/8 allow
  do-daemonize: no
  username: ""
  chroot: ""
  directory: "${folder}"
  pidfile: ""
  use-syslog: no
  do-not-query-localhost: no
  module-config: "iterator"
  domain-insecure: "consul"
stub-zone:
  name: "consul"
  stub-addr: 127.0.0.1@${dnsPort}
remote-control:
  control-enable: no
`,
    }));
  }

  /** Forwards `.consul` to the DNS server at this port. */
  static dnsmasq(dnsPort: number): Promise<Resolver> {
    return Resolver.#resolver('dnsmasq', (port, folder) => ({
      args: ['--keep-in-foreground', `--conf-file=${path.join(folder, 'conf')}`],
      conf: `
port=${port}
listen-address=127.0.0.1
bind-interfaces
no-resolv
no-hosts
user=root
pid-file=
server=/consul/127.0.0.1#${dnsPort}
`,
    }));
  }

  /** Balances HTTP over what an SRV question for the service finds. */
  static async haproxy(dnsPort: number, service: string): Promise<Resolver> {
    const port = await freePort();
    return await Resolver.#start('haproxy', port, (folder) => ({
      args: ['-db', '-f', path.join(folder, 'conf')],
      conf: `
defaults
  mode http
  timeout connect 1s
  timeout client 5s
  timeout server 5s
resolvers ours
  nameserver dns 127.0.0.1:${dnsPort}
  accepted_payload_size 8192
  timeout resolve 1s
  timeout retry 1s
  hold valid 1s
  hold obsolete 0s
backend web
  balance roundrobin
  option redispatch
  server-template web 10 ${service} resolvers ours resolve-prefer ipv4 resolve-opts allow-dup-ip
frontend all
  bind 127.0.0.1:${port}
  default_backend web
`,
    }));
  }

  static async #resolver(
    program: string,
    plan: (port: number, folder: string) => Plan,
  ): Promise<Resolver> {
    const port = await freePort();
    const resolver = await Resolver.#start(program, port, (folder) => plan(port, folder));
    const answers = () =>
      askUdp(port, { name: 'consul.service.consul', type: 'A' }).then(
        ({ answers: found }) => found.length > 0,
        () => false,
      );
    await until(answers, () => `${program} does not answer: ${resolver.#said.join('')}`, START_MS);
    return resolver;
  }

  static async #start(program: string, port: number, plan: (folder: string) => Plan) {
    const folder = await mkdtemp(path.join(tmpdir(), `${program}-`));
    const { args, conf } = plan(folder);
    await writeFile(path.join(folder, 'conf'), conf);
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    child.once('error', () => undefined);
    return new Resolver(port, folder, child);
  }

  async stop(): Promise<void> {
    const child = this.#child;
    if (child.exitCode === null && child.signalCode === null && child.pid !== undefined) {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await ended;
    }
    await rm(this.#folder, { recursive: true, force: true });
  }
}

interface Plan {
  readonly args: readonly string[];
  readonly conf: string;
}
