/** A sync between a server and a made-up cluster, and what goes wrong there, by the alerts about it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ApiServer, startApiServer } from '../kubernetes/api-server.ts';
import { kubeService, kubeSlice } from '../kubernetes/cluster.ts';
import type { AgentProcess } from '../servers/agent-processes.ts';
import { freePort } from '../servers/free-ports.ts';
import { sleep } from '../sleep.ts';
import { kubeconfigFor, SyncProcess } from './sync-process.ts';

/** What is done to the world, again and again until `alerts` fire, and how it is made good. */
export interface Trouble {
  readonly alerts: readonly string[];
  begin(): Promise<void>;
  /** While it goes on. */
  goOn(): Promise<void>;
  end(): Promise<void>;
}

const READS = { services: ['list', 'watch'], endpointslices: ['list', 'watch'] };
/** Longer than a change takes that is told to be late. */
const LATE_MS = 3000;

export class SyncInTrouble {
  readonly #cluster: ApiServer;
  readonly #server: AgentProcess;
  readonly #folder = mkdtempSync(join(tmpdir(), 'alerts-k8s-'));
  readonly #admin: number;
  #sync: SyncProcess | undefined;
  #pods = 0;

  private constructor(cluster: ApiServer, server: AgentProcess, admin: number) {
    this.#cluster = cluster;
    this.#server = server;
    this.#admin = admin;
  }

  static async start(server: AgentProcess): Promise<SyncInTrouble> {
    const made = new SyncInTrouble(await startApiServer(), server, await freePort());
    made.#cluster.objects.create('services', kubeService('web'));
    made.#begin();
    return made;
  }

  /** Where its metrics are. */
  get target(): string {
    return `127.0.0.1:${this.#admin}`;
  }

  async stop(): Promise<void> {
    await this.#sync?.kill();
    await this.#cluster.stop();
    rmSync(this.#folder, { recursive: true });
  }

  troubles(): readonly Trouble[] {
    const { tokens, objects } = this.#cluster;
    const nothing = async () => undefined;
    const annotations = { 'consul.hashicorp.com/service-name': 'consul' };
    return [
      {
        alerts: ['ProconsulSyncLeavesOut'],
        begin: async () => void objects.create('services', kubeService('bad', { annotations })),
        goOn: nothing,
        end: async () => void objects.delete('services', 'default', 'bad'),
      },
      {
        alerts: ['ProconsulSyncRefused'],
        begin: async () => {
          tokens.set('t1', READS);
          await this.#server.put('/v1/agent/service/register', { Name: 'db', Port: 1 });
        },
        goOn: nothing,
        end: async () => void tokens.set('t1', 'all'),
      },
      { alerts: ['ProconsulSyncLate'], begin: nothing, goOn: () => this.#late(), end: nothing },
      {
        alerts: ['ProconsulSyncBlind'],
        begin: () => this.#cluster.away(),
        goOn: nothing,
        end: () => this.#cluster.back(),
      },
      {
        alerts: ['ProconsulSyncNobody'],
        begin: async () => void (await this.#sync?.kill()),
        goOn: nothing,
        end: async () => this.#begin(),
      },
    ];
  }

  /** A pod comes while the server stands still. */
  async #late(): Promise<void> {
    this.#server.signal('SIGSTOP');
    const pods = [{ ip: `10.0.0.${this.#pods++ % 250}` }];
    this.#cluster.objects.set('endpointslices', kubeSlice('web', pods));
    await sleep(LATE_MS);
    this.#server.signal('SIGCONT');
    await sleep(LATE_MS / 3);
  }

  #begin(): void {
    const flags = [`-admin=${this.target}`, '-to-k8s', '-lease=30s'];
    const kubeconfig = kubeconfigFor(this.#cluster, this.#folder);
    this.#sync = new SyncProcess('a', this.#server.ports.http, kubeconfig, flags);
  }
}
