/** What a live answer comes to before there is anything to show of it, or when it may not be seen. */
import type { ComponentChildren } from 'preact';
import { withQuery } from '../core/asked-path.ts';
import { otherDatacenter } from '../core/datacenter.ts';
import type { Shown as Answer } from '../core/live-query.ts';
import { isControlled } from '../core/rights.ts';
import { href, ownDatacenter, ownHref, spot } from '../core/router.ts';
import { token } from '../core/token.ts';
import { uiWords } from '../words/ui-words.ts';
import { Copyable } from './commands.tsx';
import { Empty } from './empty.tsx';
import { type Sees, useSees } from './sees.ts';

interface ShownProps<T> {
  readonly of: Answer<T>;
  /** Where there is no such thing. */
  readonly missing?: ComponentChildren;
  readonly children: (value: T) => ComponentChildren;
}

interface SeenProps<T> extends ShownProps<T> {
  /** To see all of it. */
  readonly sees: Sees;
  /** Whether there is nothing: then it is not said where somebody may not see all. */
  readonly isNone: (value: T) => boolean;
}

/** The same of what a server keeps back in part, or as a whole, without a word. */
export function Seen<T>({ sees, isNone, children, missing, ...shown }: SeenProps<T>) {
  const seesAll = useSees(sees);
  return (
    <Shown {...shown} missing={<Nothing seesAll={seesAll}>{missing}</Nothing>}>
      {(value) => {
        if (isNone(value)) return <Nothing seesAll={seesAll}>{children(value)}</Nothing>;
        return (
          <>
            {children(value)}
            {seesAll === false && !shown.of.isPartial && (
              <p class="partial">{uiWords.value.notAll}</p>
            )}
          </>
        );
      }}
    </Shown>
  );
}

interface NothingProps {
  /** Undefined until it is known. */
  readonly seesAll: boolean | undefined;
  /** That there is nothing. */
  readonly children: ComponentChildren;
}

/** Where nothing was answered: whether there is nothing, only who sees all knows. */
export function Nothing({ seesAll, children }: NothingProps) {
  if (seesAll === undefined) return <p class="loading">{uiWords.value.loading}</p>;
  if (!seesAll) return <MayNotSee />;
  return <>{children}</>;
}

export function Shown<T>({ of, missing, children }: ShownProps<T>) {
  const say = uiWords.value;
  const { value, standing, problem, isPartial } = of;
  if (standing === 'forbidden') return <MayNotSee said={problem} />;
  if (standing === 'off') return <ControlIsOff />;
  if (standing === 'missing') return <>{missing}</>;
  if (standing === 'refused') {
    return (
      <Empty title={problem} hint={undefined}>
        {otherDatacenter.value !== '' && (
          <a class="button" href={ownHref(...spot.value.parts)}>
            {say.atHome(ownDatacenter)}
          </a>
        )}
      </Empty>
    );
  }
  if (value === undefined) return <p class="loading">{say.loading}</p>;
  return (
    <>
      {children(value)}
      {isPartial && <p class="partial">{say.partial}</p>}
      {isControlled.value && token.value === '' && (
        <p class="partial">
          {say.anyone} <LogIn />
        </p>
      )}
    </>
  );
}

/** Which is not to say that there is none. */
export function MayNotSee({ said = '' }: { readonly said?: string }) {
  const say = uiWords.value;
  return (
    <Empty title={say.mayNotSee} hint={say.mayNotSeeHint}>
      {said !== '' && <p class="said">{said}</p>}
      <LogIn />
    </Empty>
  );
}

/** Leads back to where somebody has been refused. */
export function LogIn() {
  const then = location.pathname + location.search;
  return <a href={withQuery(href('access'), { then })}>{uiWords.value.logIn}</a>;
}

const ON = 'acl { enabled = true default_policy = "deny" }';

export function ControlIsOff() {
  const say = uiWords.value;
  return (
    <Empty title={say.controlIsOff} hint={say.controlIsOffHint}>
      <Copyable text={ON} />
    </Empty>
  );
}
