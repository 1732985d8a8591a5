import type { Authority } from '../../../agent/connect/authority.ts';
import type { CentralDefaults, DefaultsOf } from '../../../lib/central-defaults.ts';
import { ProconsulError } from '../../../lib/errors.ts';
import { noAuthority } from './no-authority.ts';

const NOTHING: CentralDefaults = { Proxy: { MeshGateway: {}, Expose: {} }, Upstreams: [] };

/** Servers that say of every proxy what a spec has them say. */
export class FakeDefaults {
  readonly asked: DefaultsOf[] = [];
  readonly tokens: string[] = [];
  away = false;
  /** A token that may ask nothing any more. */
  revoked: string | undefined;
  #index = 10;
  #said = NOTHING;
  readonly #wake = new Set<() => void>();

  /** For who waits. */
  get waiting(): number {
    return this.#wake.size;
  }

  say(said: Partial<CentralDefaults>): void {
    this.#said = { ...NOTHING, ...said };
    this.#index++;
    for (const wake of [...this.#wake]) wake();
  }

  readonly authority: Authority = {
    ...noAuthority,
    defaults: async (of, token, { seenIndex }, signal) => {
      this.asked.push(of);
      this.tokens.push(token);
      if (this.away) throw new ProconsulError('unavailable', 'No known Consul servers');
      if (token === this.revoked) throw new ProconsulError('forbidden', 'Permission denied');
      if (seenIndex === this.#index) await this.#next(signal);
      return { index: this.#index, defaults: this.#said };
    },
  };

  #next(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        this.#wake.delete(wake);
        resolve();
      };
      this.#wake.add(wake);
      signal.addEventListener('abort', wake, { once: true });
    });
  }
}
