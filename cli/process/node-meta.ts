import type { FlagValues } from '../flag-values.ts';
import { splitPair } from '../split-pair.ts';

/** Each `-node-meta=key=value` as the HTTP API takes it: node-meta=key:value. */
export function nodeMetaQuery(flags: FlagValues): readonly (readonly [string, string])[] {
  return flags.all('node-meta').map((text) => {
    const [key, value] = splitPair('node-meta', text);
    return ['node-meta', `${key}:${value}`] as const;
  });
}
