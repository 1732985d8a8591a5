/** Who one is, what that comes to, and how one becomes somebody else. */
import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { type MethodRow, mayReadAccess, type TokenInFull, type TokenRow } from '../core/access.ts';
import { logOut } from '../core/access-tokens.ts';
import { hasUnsaved } from '../core/drafts.ts';
import { useLive } from '../core/live.ts';
import { comingBack, forgetToken } from '../core/login.ts';
import { useMay } from '../core/rights.ts';
import { href } from '../core/router.ts';
import { token } from '../core/token.ts';
import { accessWords } from '../words/access-words.ts';
import { uiWords } from '../words/ui-words.ts';
import { GrantedRules } from './access-rules.tsx';
import { askFirst } from './asked.tsx';
import { useClipped } from './clipped.tsx';
import { Dialog } from './dialog.tsx';
import { Empty } from './empty.tsx';
import { type Fact, Facts } from './facts.tsx';
import { GrantLinks } from './grants.tsx';
import { Bootstrap, Login } from './login.tsx';
import { Rights } from './rights.tsx';
import { Secret } from './secret.tsx';
import { ControlIsOff } from './shown.tsx';
import { Ago, In } from './time.tsx';

export function Me() {
  const self = useLive<TokenInFull>('/v1/acl/token/self?expanded');
  const mayRead = useMay(mayReadAccess);
  const methods = useLive<readonly MethodRow[]>(mayRead ? '/v1/acl/auth-methods' : '');
  const hasToken = token.value !== '';
  if (self.standing === 'off') return <ControlIsOff />;
  if (self.standing === 'refused') return <Empty title={self.problem} hint={undefined} />;
  if (self.value === undefined && self.standing !== 'forbidden') {
    return <p class="loading">{uiWords.value.loading}</p>;
  }
  const login = <Login methods={methods.value ?? []} />;
  if (self.value === undefined || !hasToken) {
    return (
      <>
        <Unknown hasToken={hasToken} problem={self.problem} />
        {login}
        {!hasToken && <Bootstrap />}
        <Rights />
      </>
    );
  }
  return (
    <>
      <div class="known">
        <Known token={self.value} />
        <Rights />
      </div>
      <LogInAnew>{login}</LogInAnew>
    </>
  );
}

/** Open for whoever comes back from a provider: why he is not let in is said there. */
function LogInAnew({ children }: { readonly children: ComponentChildren }) {
  const [isOpen, setOpen] = useState(false);
  const from = comingBack.value;
  useEffect(() => {
    if (from !== '') setOpen(true);
  }, [from]);
  return (
    <details
      class="log-in-anew"
      open={isOpen}
      onToggle={({ currentTarget }) => setOpen(currentTarget.open)}
    >
      <summary>{accessWords.value.logInAnew}</summary>
      {children}
    </details>
  );
}

function Unknown({ hasToken, problem }: { readonly hasToken: boolean; readonly problem: string }) {
  const say = accessWords.value;
  if (!hasToken) return <Empty title={say.nobody} hint={say.nobodyHint} />;
  return (
    <Empty title={say.unknownToken} hint={say.unknownTokenHint}>
      <p class="said">{problem}</p>
      <button type="button" onClick={forgetToken}>
        {say.forget}
      </button>
    </Empty>
  );
}

function Known({ token: own }: { readonly token: TokenInFull }) {
  const name = own.Description || own.AccessorID;
  const clipped = useClipped<HTMLHeadingElement>(name);
  return (
    <section class="me">
      <div class="heading">
        <h2 ref={clipped.ref} class={clipped.kind}>
          {name}
        </h2>
        {clipped.toggle}
        <div class="actions">
          <LogOut token={own} />
        </div>
      </div>
      <TokenFacts token={own} />
      <GrantedRules token={own} />
    </section>
  );
}

export function TokenFacts({ token: of }: { readonly token: TokenInFull }) {
  const say = accessWords.value;
  const { AccessorID, SecretID, AuthMethod, CreateTime, Local } = of;
  const facts: Fact[] = [
    [say.gives, <GrantLinks key="gives" of={of} />],
    [
      say.accessor,
      <a key="accessor" href={href('access', 'tokens', AccessorID)}>
        <code>{AccessorID}</code>
      </a>,
    ],
    [say.secret, <Secret key="secret" text={SecretID} />],
    [say.scope, Local ? say.here : say.everywhere],
    [say.expires, <ExpiresAt key="expires" of={of} />],
  ];
  if (Date.parse(CreateTime) > 0) {
    facts.push([say.created, <Ago key="created" at={Date.parse(CreateTime)} />]);
  }
  if (AuthMethod !== undefined) {
    facts.push([
      say.from,
      <a key="method" href={href('access', 'methods', AuthMethod)}>
        {AuthMethod}
      </a>,
    ]);
  }
  return <Facts facts={facts} />;
}

export function ExpiresAt({ of: { ExpirationTime } }: { readonly of: TokenRow }) {
  if (ExpirationTime === undefined) return <span class="aside">{accessWords.value.never}</span>;
  return <In at={Date.parse(ExpirationTime)} />;
}

/** A token that a login gave ends with it; any other is forgotten here, and goes on. */
function LogOut({ token: { AuthMethod } }: { readonly token: TokenInFull }) {
  const say = accessWords.value;
  const [isAsked, setAsked] = useState(false);
  return (
    <>
      <button
        type="button"
        onClick={() => (AuthMethod === undefined ? setAsked(true) : askToEnd())}
      >
        {say.logOut}
      </button>
      {isAsked && (
        <Dialog title={say.logOut} onClose={() => setAsked(false)}>
          <p>{say.forgetText}</p>
          {hasUnsaved() && <p>{say.unsavedIsLost}</p>}
          <form method="dialog">
            <button type="submit">{uiWords.value.cancel}</button>
            <button type="button" class="main" onClick={forgetToken}>
              {say.logOut}
            </button>
          </form>
        </Dialog>
      )}
    </>
  );
}

function askToEnd(): void {
  const say = accessWords.peek();
  askFirst({
    title: say.logOut,
    text: hasUnsaved() ? `${say.logOutText} ${say.unsavedIsLost}` : say.logOutText,
    action: logOut(),
    verb: say.logOut,
    done: say.loggedOut,
    onDone: forgetToken,
    isGrave: true,
  });
}
