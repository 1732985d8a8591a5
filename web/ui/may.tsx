/** What may be done with something, or that the token may not: of a button that is not there nobody knows why. */
import type { ComponentChildren } from 'preact';
import { useAllowed } from '../core/rights.ts';
import { uiWords } from '../words/ui-words.ts';
import type { Sees } from './sees.ts';

interface MayProps {
  /** One of them is enough; as many each time. */
  readonly right: Sees;
  readonly children: ComponentChildren;
}

export function May({ right, children }: MayProps) {
  const rights = 'Resource' in right ? [right] : right;
  const allowed = rights.map((each) => useAllowed(each));
  if (allowed.includes(true)) return <>{children}</>;
  return allowed.includes(undefined) ? null : <MayNot />;
}

export function MayNot() {
  return <span class="aside">{uiWords.value.onlyLooks}</span>;
}
