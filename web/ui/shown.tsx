/** What a live answer comes to before there is anything to show of it, or when it may not be seen. */
import type { ComponentChildren } from 'preact';
import type { Shown as Answer } from '../core/live-query.ts';
import { isControlled } from '../core/rights.ts';
import { token } from '../core/token.ts';
import { uiWords } from '../words/ui-words.ts';
import { Empty } from './empty.tsx';

interface ShownProps<T> {
  readonly of: Answer<T>;
  /** Where there is no such thing. */
  readonly missing?: ComponentChildren;
  readonly children: (value: T) => ComponentChildren;
}

export function Shown<T>({ of, missing, children }: ShownProps<T>) {
  const say = uiWords.value;
  const { value, standing, problem, isPartial } = of;
  if (standing === 'forbidden') {
    return (
      <Empty title={say.mayNotSee} hint={say.mayNotSeeHint}>
        <p class="said">{problem}</p>
      </Empty>
    );
  }
  if (standing === 'missing') return <>{missing}</>;
  if (standing === 'refused') return <Empty title={problem} />;
  if (value === undefined) return <p class="loading">{say.loading}</p>;
  return (
    <>
      {children(value)}
      {isPartial && <p class="partial">{say.partial}</p>}
      {isControlled.value && token.value === '' && <p class="partial">{say.anyone}</p>}
    </>
  );
}
