/** How many of several are how: a bar of which each part has a pattern of its own, and the same in words. */
import { uiWords } from '../words/ui-words.ts';
import { type Known, Shape, STATUSES, type Status } from './status.tsx';

export type Counts = Readonly<Record<Status, number>>;

/** The worst first: that is what is looked for. */
const UNWELL = ['critical', 'warning', 'maintenance'] as const;
const ORDER: readonly Status[] = [...UNWELL, 'passing'];

export function HealthBar({ counts }: { readonly counts: Counts }) {
  const all = STATUSES.reduce((sum, each) => sum + counts[each], 0);
  const parts = ORDER.filter((each) => counts[each] > 0);
  const said = healthInWords(counts);
  return (
    <span class="health">
      <span class="bar" aria-hidden="true">
        {parts.map((each) => (
          // However few they are, they are seen.
          <span key={each} class={each} style={{ flexGrow: Math.max(counts[each], all / 40) }} />
        ))}
      </span>
      <span class="in-words" title={said}>
        <Shape status={worstOf(counts)} />
        <span>{said}</span>
      </span>
    </span>
  );
}

export function worstOf(counts: Counts): Known {
  return ORDER.find((each) => counts[each] > 0) ?? 'none';
}

/** "1 of 5 failing": what is not as it should be, or that all is. */
function healthInWords(counts: Counts): string {
  const say = uiWords.value;
  const all = STATUSES.reduce((sum, each) => sum + counts[each], 0);
  if (all === 0) return say.noneThere;
  if (counts.passing === all) return say.allPassing(all);
  const unwell = UNWELL.filter((each) => counts[each] > 0);
  const [first, ...others] = unwell;
  if (first === undefined) return '';
  const parts = others.map((each) => say.also(counts[each], say.status[each]));
  return [say.ofAll[first](counts[first], all), ...parts].join(say.comma);
}
