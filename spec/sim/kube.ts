/**
 * A cluster of Kubernetes: its API server on a machine of the world, and what stands in it. Without TLS: no
 * certificate would be the same again.
 */
import { createServer } from 'node:http';
import type { ApiAccess } from '../../kubernetes/api/access.ts';
import { ApiServer } from '../support/kubernetes/api-server.ts';
import type { Objects } from '../support/kubernetes/objects.ts';
import type { Machine } from './world/machine.ts';
import type { World } from './world/world.ts';

const TOKEN = 't1';

type Made = ConstructorParameters<typeof ApiServer>;

export class SimKube {
  readonly machine: Machine;
  readonly #world: World;
  readonly #server: ApiServer;

  constructor(world: World) {
    this.#world = world;
    this.machine = world.machine('kube');
    this.#server = new ApiServer(
      undefined as unknown as Made[0],
      createServer() as unknown as Made[1],
    );
    this.#do(() => void this.#server.back());
  }

  /** By which a sync reaches it. */
  get access(): ApiAccess {
    const server = this.#server;
    return {
      get url() {
        return new URL(`http://127.0.0.1:${server.port}`);
      },
      namespace: 'default',
      credentials: () => ({ token: TOKEN, tls: {} }),
    };
  }

  /** As by a controller of its own; whoever watches is told. */
  change(change: (objects: Objects) => void): void {
    this.#do(() => change(this.#server.objects));
  }

  /** It ends, and begins again with what there was. */
  restart(downMs: number): void {
    this.#do(() => void this.#server.away());
    this.#world.at(this.machine, downMs, () => void this.#server.back());
  }

  /** As it does from time to time by itself. */
  endWatches(): void {
    this.#do(() => this.#server.endWatches());
  }

  /** Nobody can go on from where he was. */
  forgetVersions(): void {
    this.#do(() => {
      this.#server.objects.compact();
      this.#server.endWatches();
    });
  }

  #do(fn: () => void): void {
    this.#world.at(this.machine, 0, fn);
  }
}
