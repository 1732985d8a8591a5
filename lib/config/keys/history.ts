/** How much is remembered of what became of services: Proconsul's own. */
import { DEFAULT_HISTORY, type HistoryLimits } from '../../history.ts';
import { between, duration, int, type Settled } from '../row.ts';

export const HISTORY_KEYS = {
  history: {
    max_changes_per_check: int('Changes kept of each check, and of each instance; 0 for none.', {
      default: DEFAULT_HISTORY.perCheck,
      rule: between(0, 10_000),
    }),
    max_changes: int('Changes kept in all: some 20 bytes of memory each.', {
      default: DEFAULT_HISTORY.inAll,
      rule: between(1000, 20_000_000),
    }),
    max_age: duration('How long a change is kept.', {
      default: DEFAULT_HISTORY.ageMs,
      rule: between(60_000, 400 * 24 * 3_600_000),
    }),
  },
};

export function historyConfig({ history }: Settled<typeof HISTORY_KEYS>): HistoryLimits {
  return {
    perCheck: history.max_changes_per_check,
    inAll: history.max_changes,
    ageMs: history.max_age,
  };
}
