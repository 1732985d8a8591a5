/** Where somebody logs in: with a token, with what proves who he is, or at a provider in the browser. */
import { useState } from 'preact/hooks';
import type { MethodRow } from '../core/access.ts';
import { bootstrap } from '../core/access-tokens.ts';
import {
  callbackAddress,
  comingBack,
  lastMethod,
  leave,
  logInByBrowser,
  logInByProof,
  logInByToken,
} from '../core/login.ts';
import { Refusal } from '../core/refusal.ts';
import { query } from '../core/router.ts';
import { setToken, strangeIn } from '../core/token.ts';
import { accessWords } from '../words/access-words.ts';
import { askFirst, inWords } from './asked.tsx';
import { Choice, Field, Tick } from './form.tsx';
import { tell } from './toasts.tsx';

/** The methods are those that may be seen by now: mostly none, before somebody has logged in. */
export function Login({ methods }: { readonly methods: readonly MethodRow[] }) {
  const say = accessWords.value;
  const [remembers, setRemembers] = useState(false);
  const from = comingBack.value;
  return (
    <section class="login" aria-label={say.logIn}>
      {from === 'busy' && <p role="status">{say.comingBack}</p>}
      {from instanceof Error && (
        <p class="problem" role="alert">
          {cameBackInWords(from)}
        </p>
      )}
      <ByToken remembers={remembers} />
      <ByMethod methods={methods} remembers={remembers} />
      <Tick label={say.remembers} isOn={remembers} onTick={setRemembers} />
    </section>
  );
}

function cameBackInWords(error: Error): string {
  const isStrange = error instanceof Refusal && error.status === 0 && error.message === '';
  return isStrange ? accessWords.value.notBegun : inWords(error);
}

/** What a login comes to: it is tried, or what was said. */
function useTry(what: () => Promise<void>) {
  const [problem, setProblem] = useState('');
  const [isBusy, setBusy] = useState(false);
  const run = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    comingBack.value = '';
    try {
      await what();
      leave();
    } catch (error) {
      setProblem(inWords(error));
    } finally {
      setBusy(false);
    }
  };
  return { problem, isBusy, run };
}

function ByToken({ remembers }: { readonly remembers: boolean }) {
  const say = accessWords.value;
  const [secret, setSecret] = useState('');
  const { problem, isBusy, run } = useTry(() => logInByToken(secret.trim(), { remembers }));
  const strange = strangeIn(secret.trim());
  return (
    <form class="form" onSubmit={(event) => void run(event)} aria-label={say.byToken}>
      <h2>{say.byToken}</h2>
      <Field
        label={say.secret}
        hint={say.secretHint}
        value={secret}
        isSecret={true}
        problem={strange && say.strange(codeOf(strange.letter), strange.at)}
        onWrite={setSecret}
      />
      <Problem text={problem} />
      <div class="actions">
        <button
          type="submit"
          class="main"
          disabled={isBusy || secret.trim() === '' || strange !== undefined}
        >
          {say.logIn}
        </button>
      </div>
    </form>
  );
}

/** Many of them cannot be seen. */
function codeOf(letter: string): string {
  const code = letter.codePointAt(0) ?? 0;
  return `U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
}

interface ByMethodProps {
  readonly methods: readonly MethodRow[];
  readonly remembers: boolean;
}

function ByMethod({ methods, remembers }: ByMethodProps) {
  const say = accessWords.value;
  const [name, setName] = useState(query.value.get('method') ?? lastMethod.read());
  const [said, setHow] = useState<'browser' | 'proof'>('browser');
  const [proof, setProof] = useState('');
  const known = methods.find(({ Name }) => Name === name)?.Type;
  const how = known === undefined ? said : howOf(known);
  const { problem, isBusy, run } = useTry(() =>
    how === 'browser'
      ? logInByBrowser(name, { remembers })
      : logInByProof(name, proof.trim(), { remembers }),
  );
  return (
    <form class="form" onSubmit={(event) => void run(event)} aria-label={say.byMethod}>
      <h2>{say.byMethod}</h2>
      <Field
        label={say.methodName}
        value={name}
        offers={methods.map((each) => each.Name)}
        onWrite={setName}
      />
      <Choice
        label={say.how}
        value={how}
        of={{ browser: say.byBrowser, proof: say.byProof }}
        onChoose={setHow}
      />
      {how === 'browser' ? (
        <p class="aside">{say.comesBack(callbackAddress)}</p>
      ) : (
        <Field label={say.proof} value={proof} isSecret={true} onWrite={setProof} />
      )}
      <Problem text={problem} />
      <div class="actions">
        <button
          type="submit"
          class="main"
          disabled={isBusy || name === '' || (how === 'proof' && proof.trim() === '')}
        >
          {how === 'browser' ? say.goThere : say.logIn}
        </button>
      </div>
    </form>
  );
}

function howOf(type: string): 'browser' | 'proof' {
  return type === 'oidc' ? 'browser' : 'proof';
}

function Problem({ text }: { readonly text: string }) {
  if (text === '') return null;
  return (
    <p class="problem" role="alert">
      {text}
    </p>
  );
}

/** Where nobody has a token yet. */
export function Bootstrap() {
  const say = accessWords.value;
  return (
    <section class="bootstrap">
      <h2>{say.first}</h2>
      <p class="aside">{say.firstHint}</p>
      <button type="button" onClick={askBootstrap}>
        {say.bootstrap}
      </button>
    </section>
  );
}

function askBootstrap(): void {
  const say = accessWords.peek();
  askFirst({
    title: say.bootstrap,
    text: say.bootstrapText,
    action: bootstrap(),
    verb: say.bootstrap,
    done: say.bootstrapped,
    onDone: (answer) => {
      const { SecretID } = answer as { readonly SecretID: string };
      setToken(SecretID);
      tell(say.bootstrapped);
    },
  });
}
