/** What an agent would answer, said by hand; whoever waits is answered when it is said anew. */
import { ProconsulError } from '../../../lib/errors.ts';
import type { AgentAnswer, AskAgent } from '../../../xds/questions.ts';

interface Said {
  readonly index: number;
  readonly status: number;
  readonly json: unknown;
}

export class FakeAgentAnswers {
  readonly #said = new Map<string, Said>();
  readonly #waiting = new Set<() => void>();
  #index = 10;
  /** What was asked, with the token that it was asked with. */
  readonly asked: { readonly path: string; readonly token: string }[] = [];
  /** Of these tokens nobody knows anything. */
  readonly unknown = new Set<string>();
  /** With these it cannot be asked at all. */
  readonly cutOff = new Set<string>();
  /** Whoever asks for these waits without end. */
  readonly silent = new Set<string>();
  isAway = false;

  /** By path, and parameters but `stale`, which is always there; JSON, or a status. */
  say(path: string, json: unknown): void {
    const status = typeof json === 'number' ? json : 200;
    this.#said.set(path, { index: ++this.#index, status, json });
    this.wake();
  }

  /** `Service` and what stands around it. */
  sayInstances(name: string, instances: readonly object[], path = 'health/service'): void {
    this.say(`/v1/${path}/${name}`, instances);
  }

  wake(): void {
    for (const each of [...this.#waiting]) each();
  }

  readonly ask: AskAgent = async ({ path, query }, token, signal) => {
    const seen = query.find(([name]) => name === 'index' || name === 'hash')?.[1];
    const rest = query.filter(([name]) => !['index', 'hash', 'stale'].includes(name));
    const key = path + rest.map(([name, value]) => `?${name}=${value}`).join('');
    this.asked.push({ path: key, token });
    for (;;) {
      if (signal.aborted) return answer({ index: 1, status: 500, json: undefined });
      if (this.isAway) return answer({ index: 1, status: 500, json: 'No cluster leader' });
      if (this.cutOff.has(token)) throw new ProconsulError('unavailable', 'the agent hung up');
      if (this.unknown.has(token)) return answer({ index: 1, status: 403, json: 'ACL not found' });
      const said = this.#said.get(key) ?? { index: 1, status: 200, json: [] };
      if (!this.silent.has(key) && !this.#isSeen(said, seen)) return answer(said);
      await new Promise<void>((resolve) => {
        const over = () => {
          this.#waiting.delete(over);
          signal.removeEventListener('abort', over);
          resolve();
        };
        this.#waiting.add(over);
        signal.addEventListener('abort', over, { once: true });
      });
    }
  };

  #isSeen({ index, status, json }: Said, seen: string | undefined): boolean {
    if (status !== 200) return false;
    const hash = (json as { readonly ContentHash?: string } | undefined)?.ContentHash;
    return seen === String(index) || (hash !== undefined && hash === seen);
  }
}

function answer({ index, status, json }: Said): AgentAnswer {
  const text = typeof json === 'string' ? json : (JSON.stringify(json) ?? '');
  return {
    ...{ status, index: String(index), text },
    get json() {
      // As with a real one, what is no answer is no JSON either.
      if (status !== 200) throw new Error('it is a text');
      return json;
    },
  };
}

export interface InstanceOver {
  readonly address?: string;
  readonly port?: number;
  readonly status?: string;
  readonly checkId?: string;
  readonly zone?: string;
  readonly weights?: { readonly Passing: number; readonly Warning: number };
  readonly nodeAddress?: string;
}

/** As the health API lists it. */
export function instance(id: string, over: InstanceOver = {}): object {
  const { address = '10.0.0.1', port = 80, status = 'passing', checkId = 'c' } = over;
  const { weights = { Passing: 1, Warning: 1 }, zone = '', nodeAddress = '10.0.0.9' } = over;
  return {
    Node: {
      Node: 'n1',
      Address: nodeAddress,
      Datacenter: 'dc1',
      Meta: zone === '' ? {} : { zone },
    },
    Service: { ID: id, Service: 'web', Address: address, Port: port, Weights: weights, Meta: {} },
    Checks: [{ CheckID: checkId, Status: status }],
  };
}
