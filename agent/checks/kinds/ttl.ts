/** A check that clients report; it turns critical by itself when they do not. */
import { checkKind, duration } from './kind.ts';

export const ttl = checkKind({
  type: 'ttl',
  fields: { TTL: duration },
  labels: { check_ttl: (TTL) => ({ TTL }) },
});
