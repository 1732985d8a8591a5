/** Whether one service may call another, and which intention says so. */
import { useEffect, useState } from 'preact/hooks';
import { ask } from '../core/api.ts';
import type { Shown } from '../core/live-query.ts';
import {
  checkPath,
  type Decision,
  decidingIn,
  decisionOf,
  type IntentionRow,
} from '../core/mesh.ts';
import { href, query, setQuery } from '../core/router.ts';
import { intentionWords } from '../words/intention-words.ts';
import { inWords } from './asked.tsx';
import { DecisionSign, nameOf } from './decision.tsx';
import { Field } from './form.tsx';
import { everyOne, useSees } from './sees.ts';

interface MayCallProps {
  readonly intentions: Shown<readonly IntentionRow[]>;
  readonly names: readonly string[];
}

export function MayCall({ intentions, names }: MayCallProps) {
  const say = intentionWords.value;
  const from = query.value.get('from') ?? '';
  const to = query.value.get('to') ?? '';
  return (
    <form class="may-call" aria-label={say.may} onSubmit={(event) => event.preventDefault()}>
      <h2>{say.may}</h2>
      <Field
        label={say.mayFrom}
        value={from}
        offers={names}
        onWrite={(name) => setQuery({ from: name })}
      />
      <Field
        label={say.mayTo}
        value={to}
        offers={names}
        onWrite={(name) => setQuery({ to: name })}
      />
      {from !== '' && to !== '' && <Verdict from={from} to={to} intentions={intentions} />}
    </form>
  );
}

const NONE: readonly IntentionRow[] = [];

interface VerdictProps {
  readonly from: string;
  readonly to: string;
  readonly intentions: Shown<readonly IntentionRow[]>;
}

function Verdict({ from, to, intentions }: VerdictProps) {
  const say = intentionWords.value;
  const { value = NONE, isPartial, standing } = intentions;
  const answer = useCheck(from, to, value);
  const mayReadAll = useSees(everyOne('intention')) !== false;
  const row = decidingIn(value)(from, to);
  if (answer === undefined) return <p role="status">…</p>;
  if (answer instanceof Error) return <p role="status">{inWords(answer)}</p>;
  const decision = row !== undefined && decisionOf(row) === 'requests' ? 'requests' : answer;
  const texts = { allow: say.allowed, deny: say.denied, requests: say.byRequest };
  const seesAll = mayReadAll && standing === 'here' && !isPartial;
  return (
    <div role="status" class="verdict">
      <p>
        <DecisionSign of={decision} /> {texts[decision](from, to)}
      </p>
      {row === undefined ? (
        <p class="aside">{seesAll ? say.byDefault : say.unseen}</p>
      ) : (
        <p class="aside">
          {say.because}{' '}
          <a href={href('intentions', row.SourceName, row.DestinationName)}>
            {nameOf(row.SourceName)} → {nameOf(row.DestinationName)}
          </a>
        </p>
      )}
    </div>
  );
}

/** The answer has no index: it is asked for again when the list of intentions is another one. */
function useCheck(
  from: string,
  to: string,
  intentions: readonly IntentionRow[],
): Exclude<Decision, 'requests'> | Error | undefined {
  const [answered, setAnswered] = useState<Answered>();
  useEffect(() => {
    const abort = new AbortController();
    const note = (answer: Answered['answer']) => setAnswered({ from, to, intentions, answer });
    ask<{ Allowed: boolean }>(checkPath(from, to), { signal: abort.signal }).then(
      ({ value }) => note(value.Allowed ? 'allow' : 'deny'),
      (error: unknown) => !abort.signal.aborted && note(error as Error),
    );
    return () => abort.abort();
  }, [from, to, intentions]);
  const isOfThese =
    answered?.from === from && answered.to === to && answered.intentions === intentions;
  return isOfThese ? answered.answer : undefined;
}

/** Of whom, and of which list. */
interface Answered {
  readonly from: string;
  readonly to: string;
  readonly intentions: readonly IntentionRow[];
  readonly answer: Exclude<Decision, 'requests'> | Error;
}
