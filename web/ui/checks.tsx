/** Checks with what they last said: those that fail first, and open. */
import type { Check } from '../../lib/model.ts';
import { checkWords } from '../words/check-words.ts';
import { Copyable } from './commands.tsx';
import { Shape, STATUSES, statusOf } from './status.tsx';
import { For } from './time.tsx';

interface ChecksProps {
  readonly checks: readonly Check[];
  /** Since when each is as it is, by its id; what is not known is not told. */
  readonly since: ReadonlyMap<string, number>;
}

export function Checks({ checks, since }: ChecksProps) {
  const rank = ({ Status }: Check) => -STATUSES.indexOf(statusOf(Status));
  const sorted = checks.toSorted((a, b) => rank(a) - rank(b) || (a.Name < b.Name ? -1 : 1));
  return (
    <ul class="checks">
      {sorted.map((check) => (
        <li key={check.CheckID}>
          <OneCheck check={check} since={since.get(check.CheckID)} />
        </li>
      ))}
    </ul>
  );
}

function OneCheck({ check, since }: { readonly check: Check; readonly since: number | undefined }) {
  const say = checkWords.value;
  const { CheckID, Name, Status, Output, Notes, ServiceID, Type } = check;
  const status = statusOf(Status);
  return (
    <details open={status !== 'passing'}>
      <summary>
        <Shape status={status} />
        <strong>{Name || CheckID}</strong>
        <span class={`status ${status}`}>{say.status(Status)}</span>
        {since !== undefined && (
          <span class="aside">
            <For at={since} />
          </span>
        )}
        <span class="aside">{[say.of(ServiceID), Type].filter(Boolean).join(' · ')}</span>
      </summary>
      {Notes !== '' && <p>{Notes}</p>}
      {Output === '' ? <p class="aside">{say.noOutput}</p> : <Copyable text={Output} />}
    </details>
  );
}
