/** How agents and servers come together. */
import type { Problems } from '../problems.ts';
import { bool, duration, int, noEffect, type Settled, strings } from '../row.ts';

const SECOND = 1000;
const DEFAULT_RECONNECT_MS = 72 * 3600 * SECOND;
/** Less would only keep the processor busy. */
const MIN_RETRY_MS = 100;

export const JOIN_KEYS = {
  start_join: strings('Agents or servers to join at start; if none answers, the start ends.', {
    flag: 'join',
    shown: 'StartJoinAddrsLAN',
  }),
  retry_join: strings('Agents or servers to join, tried until one answers.', {
    flag: 'retry-join',
    shown: 'RetryJoinLAN',
    rule: hosts,
  }),
  retry_interval: duration('The time between two attempts to join.', {
    default: 30 * SECOND,
    flag: 'retry-interval',
    shown: 'RetryJoinIntervalLAN',
    rule: (value) => Math.max(value, MIN_RETRY_MS),
  }),
  retry_max: int('How many attempts to join; 0 for no end.', {
    flag: 'retry-max',
    shown: 'RetryJoinMaxAttemptsLAN',
  }),
  reconnect_timeout: duration(
    'How long a node that left or failed stays among the members; 0 is 72 h.',
    { shown: 'ReconnectTimeoutLAN' },
  ),
  ...noEffect('an agent that starts joins, whether it left before or not', {
    rejoin_after_leave: bool('', { flag: 'rejoin', shown: 'RejoinAfterLeave' }),
  }),
  ...noEffect('other data centres are not built yet', {
    start_join_wan: strings('', { flag: 'join-wan', shown: 'StartJoinAddrsWAN' }),
    retry_join_wan: strings('', { flag: 'retry-join-wan', shown: 'RetryJoinWAN' }),
    retry_interval_wan: duration('', {
      default: 30 * SECOND,
      flag: 'retry-interval-wan',
      shown: 'RetryJoinIntervalWAN',
    }),
    retry_max_wan: int('', { flag: 'retry-max-wan', shown: 'RetryJoinMaxAttemptsWAN' }),
    reconnect_timeout_wan: duration('', { shown: 'ReconnectTimeoutWAN' }),
  }),
};

export function joinConfig(given: Settled<typeof JOIN_KEYS>) {
  return {
    start: given.start_join,
    retry: given.retry_join,
    retryIntervalMs: given.retry_interval,
    retryMax: given.retry_max,
    reconnectTimeoutMs: given.reconnect_timeout || DEFAULT_RECONNECT_MS,
  };
}

function hosts(value: readonly string[], _path: string, problems: Problems): readonly string[] {
  for (const address of value) {
    const provider = /\bprovider=(\S+)/.exec(address)?.[1];
    // Kubernetes is asked for its pods.
    if (provider === undefined || provider === 'k8s') continue;
    // Only the provider's name: the rest may hold keys.
    problems.warn(
      `retry_join with provider=${provider}: addresses are looked up in Kubernetes (k8s) alone; ` +
        'name hosts or http(s) URLs',
    );
  }
  return value;
}
