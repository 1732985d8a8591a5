/** The agent that serves this page: of what is on its own node it may be told more than of others. */
import { effect, signal } from '@preact/signals';
import { ask } from './api.ts';
import { otherDatacenter } from './datacenter.ts';
import { untilAnswered } from './retry.ts';
import { token } from './token.ts';

/** Its node; '' where that is not known, or may not be, or is not of what is shown. */
export const ownNode = signal('');

interface Self {
  readonly Config: { readonly NodeName: string };
}

export function startOwnAgent(): void {
  effect(() => {
    token.value;
    ownNode.value = '';
    // Another data centre may have a node of that name.
    if (otherDatacenter.value !== '') return;
    const asking = new AbortController();
    void learn(asking.signal);
    return () => asking.abort();
  });
}

async function learn(by: AbortSignal): Promise<void> {
  try {
    const self = await untilAnswered((signal) => ask<Self>('/v1/agent/self', { signal }), by);
    if (!by.aborted) ownNode.value = self?.value.Config.NodeName ?? '';
  } catch {
    // It may not be known.
  }
}
