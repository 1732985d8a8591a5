/** The agent that serves this page: of what is on its own node it may be told more than of others. */
import { effect, signal } from '@preact/signals';
import { ask } from './api.ts';
import { token } from './token.ts';

/** Its node; '' where that is not known, or may not be. */
export const ownNode = signal('');

interface Self {
  readonly Config: { readonly NodeName: string };
}

export function startOwnAgent(): void {
  effect(() => {
    token.value;
    ask<Self>('/v1/agent/self').then(
      ({ value }) => {
        ownNode.value = value.Config.NodeName;
      },
      () => {
        ownNode.value = '';
      },
    );
  });
}
