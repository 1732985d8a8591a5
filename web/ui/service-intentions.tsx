/** What is said of a service's calls: who may call it, and whom it may call. */
import '../style/chain.css';
import { withQuery } from '../core/asked-path.ts';
import { quoted } from '../core/filter-text.ts';
import { useLive } from '../core/live.ts';
import { ANY, decisionOf, type IntentionRow, intentionsBy } from '../core/mesh.ts';
import { href } from '../core/router.ts';
import { routingWords } from '../words/routing-words.ts';
import { DecisionSign, nameOf } from './decision.tsx';
import { May } from './may.tsx';
import { useSees } from './sees.ts';
import { Seen } from './shown.tsx';

export function ServiceIntentions({ name }: { readonly name: string }) {
  const ends = ['SourceName', 'DestinationName'];
  const filter = ends
    .flatMap((end) => [name, ANY].map((each) => `${end} == ${quoted(each)}`))
    .join(' or ');
  const live = useLive<readonly IntentionRow[]>(intentionsBy(filter));
  return (
    <Seen
      of={live}
      sees={{ Resource: 'intention', Access: 'read', Segment: name }}
      isNone={(all) =>
        !all.some((row) => isOf(row.SourceName, name) || isOf(row.DestinationName, name))
      }
    >
      {(all) => (
        <div class="two-sides">
          <Side
            title={routingWords.value.mayCallIt}
            rows={all.filter(
              ({ SourceName, DestinationName }) =>
                isOf(DestinationName, name) && SourceName !== name,
            )}
            name={name}
            isDestination={true}
          />
          <Side
            title={routingWords.value.mayBeCalled}
            rows={all.filter(
              ({ SourceName, DestinationName }) =>
                isOf(SourceName, name) && DestinationName !== name,
            )}
            name={name}
            isDestination={false}
          />
        </div>
      )}
    </Seen>
  );
}

function isOf(end: string, name: string): boolean {
  return end === ANY || end === name;
}

interface SideProps {
  readonly title: string;
  /** The one that counts first in front. */
  readonly rows: readonly IntentionRow[];
  readonly name: string;
  readonly isDestination: boolean;
}

function Side({ title, rows, name, isDestination }: SideProps) {
  const say = routingWords.value;
  // Of whom it calls, each one's own right counts: the form asks for it.
  const right = isDestination
    ? ({ Resource: 'intention', Access: 'write', Segment: name } as const)
    : ({ Resource: 'intention', Access: 'write-any' } as const);
  const seesAll = useSees({ Resource: 'intention', Access: 'read', Segment: name });
  const given = isDestination ? { destination: name } : { source: name };
  return (
    <section>
      <h2>{title}</h2>
      {rows.length === 0 && seesAll !== false && <p class="aside">{say.noneOf}</p>}
      <ul class="side">
        {rows.map((row) => (
          <li key={`${row.SourceName}\0${row.DestinationName}`}>
            <DecisionSign of={decisionOf(row)} />{' '}
            <a href={href('intentions', row.SourceName, row.DestinationName)}>
              {nameOf(row.SourceName)} → {nameOf(row.DestinationName)}
            </a>{' '}
            <span class="aside">{row.Description}</span>
          </li>
        ))}
      </ul>
      <May right={right}>
        <a class="button" href={withQuery(href('intentions', 'new'), given)}>
          {say.new}
        </a>
      </May>
    </section>
  );
}
