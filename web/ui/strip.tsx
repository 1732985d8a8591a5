/** How a time went: a cell for each part of it, of which height, colour and words say how much was well. */
import type { AvailabilityStep } from '../../lib/answers.ts';
import { now } from '../core/clock.ts';
import type { Window } from '../core/past.ts';
import { pastWords } from '../words/past-words.ts';
import { exact, lasting } from '../words/times.ts';
import { percent } from '../words/words.ts';

const HOUR = 3_600_000;
const LENGTHS = { '1h': HOUR, '24h': 24 * HOUR, '720h': 720 * HOUR } as const;

export function Strip({ window: of }: { readonly window: Window }) {
  const say = pastWords.value;
  const ms = LENGTHS[of.Window] / Math.max(1, of.Steps.length);
  const from = now.value - LENGTHS[of.Window];
  return (
    <figure class="strip">
      <figcaption>
        <strong>{of.Available === null ? say.unknown : percent(of.Available)}</strong>
        <span class="aside">{say.windows[of.Window]}</span>
        <span class="aside">{outagesInWords(of)}</span>
        {of.KnownSeconds * 1000 < LENGTHS[of.Window] && (
          <span class="aside">{say.knownFor(lasting(of.KnownSeconds * 1000))}</span>
        )}
      </figcaption>
      <div class="cells" aria-hidden="true">
        {of.Steps.map((step, i) => {
          const at = from + i * ms;
          return <span key={i} class={kindOf(step)} title={`${exact(at)}: ${stepInWords(step)}`} />;
        })}
      </div>
    </figure>
  );
}

/** Before it is known: what stands below keeps its place. */
export function StripsToCome() {
  const { windows } = pastWords.value;
  return (
    <>
      {Object.entries(windows).map(([name, title]) => (
        <figure key={name} class="strip" aria-busy="true">
          <figcaption>
            <span class="aside">{title}</span>
          </figcaption>
          <div class="cells" aria-hidden="true" />
        </figure>
      ))}
    </>
  );
}

function kindOf({ Available, InstancesAvailable }: AvailabilityStep): string {
  if (Available === null) return 'none';
  if (Available < 1) return Available === 0 ? 'critical' : 'critical part';
  return InstancesAvailable !== null && InstancesAvailable < 1 ? 'warning' : 'passing';
}

function stepInWords({ Available, InstancesAvailable }: AvailabilityStep): string {
  const say = pastWords.value;
  if (Available === null) return say.unknown;
  if (Available < 1) return say.upFor(percent(Available));
  return InstancesAvailable === null || InstancesAvailable === 1
    ? say.allWell
    : say.someUp(percent(InstancesAvailable));
}

function outagesInWords({ Outages, LongestRecoverySeconds }: Window): string {
  const say = pastWords.value;
  if (Outages === 0) return say.noOutage;
  const longest = LongestRecoverySeconds === null ? '' : lasting(LongestRecoverySeconds * 1000);
  return say.outages(Outages, longest);
}
