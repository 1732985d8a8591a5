/** One token: what it stands for, its secret for whoever may see it, and how it is changed. */
import '../style/access.css';
import { ANONYMOUS, mayReadAccess, mayWriteAccess, type TokenInFull } from '../core/access.ts';
import { cloneToken, deleteToken, restoreToken } from '../core/access-tokens.ts';
import { upon } from '../core/actions.ts';
import { useLive } from '../core/live.ts';
import type { Given } from '../core/path.ts';
import { useMay } from '../core/rights.ts';
import { go, href } from '../core/router.ts';
import { HIDDEN } from '../core/secrets.ts';
import { token as own } from '../core/token.ts';
import { TokenForm } from '../ui/access-forms.tsx';
import { TokenFacts } from '../ui/access-me.tsx';
import { GrantedRules } from '../ui/access-rules.tsx';
import { asksToEdit, edit, isId, Kind, Thing, toList } from '../ui/access-thing.tsx';
import { askFirst } from '../ui/asked.tsx';
import { useEdited } from '../ui/edited.tsx';
import { Heading } from '../ui/heading.tsx';
import { May } from '../ui/may.tsx';
import { accessFormWords } from '../words/access-form-words.ts';
import { accessWords } from '../words/access-words.ts';
import { uiWords } from '../words/ui-words.ts';

export function Page({ id = '' }: Given) {
  const path = isId(id) ? `/v1/acl/token/${id}?expanded` : '';
  const [live, note] = useEdited(useLive<TokenInFull>(path), asksToEdit(), useMay(mayReadAccess));
  const mayWrite = useMay(mayWriteAccess);
  const isEditing = asksToEdit() && mayWrite;
  const { value } = live;
  return (
    <>
      <Heading title={value?.Description || id} beside={<Kind kind="tokens" />}>
        {value !== undefined && !isEditing && (
          <May right={mayWriteAccess}>
            <Actions token={value} />
          </May>
        )}
      </Heading>
      {note}
      <Thing kind="tokens" of={live} isId={isId(id)}>
        {(token) =>
          isEditing ? (
            <TokenForm token={token} />
          ) : (
            <>
              <TokenFacts token={token} />
              {(token.ExpandedPolicies?.length ?? 0) > 0 && <h2>{accessWords.value.rules}</h2>}
              <GrantedRules token={token} />
            </>
          )
        }
      </Thing>
    </>
  );
}

function Actions({ token }: { readonly token: TokenInFull }) {
  const say = accessFormWords.value;
  const { AccessorID, AuthMethod, SecretID } = token;
  // Nobody deletes the token by which he asks, nor that of those who have none.
  const mayDelete = AccessorID !== ANONYMOUS && SecretID !== own.value;
  return (
    <>
      <button type="button" onClick={() => edit(true)}>
        {uiWords.value.edit}
      </button>
      {AuthMethod === undefined && (
        <button type="button" onClick={() => askClone(token)}>
          {say.clone}
        </button>
      )}
      {mayDelete && (
        <button type="button" onClick={() => askDelete(token)}>
          {uiWords.value.delete}
        </button>
      )}
    </>
  );
}

function nameOf({ Description, AccessorID }: TokenInFull): string {
  return Description || AccessorID;
}

function askClone(token: TokenInFull): void {
  const say = accessFormWords.peek();
  askFirst({
    title: say.clone,
    text: say.cloneText(nameOf(token)),
    action: cloneToken(token),
    verb: say.clone,
    done: say.made(nameOf(token)),
    leads: (made) => go(href('access', 'tokens', (made as TokenInFull).AccessorID)),
  });
}

function askDelete(token: TokenInFull): void {
  const say = accessFormWords.peek();
  const mayRestore = token.SecretID !== HIDDEN && token.AuthMethod === undefined;
  const action = upon(deleteToken(token), token);
  askFirst({
    title: say.deleteToken,
    text: say.deleteTokenText,
    action,
    verb: say.deleteToken,
    done: say.deleted(nameOf(token)),
    undo: mayRestore
      ? { action: () => restoreToken(token), at: action.path, left: 'nothing' }
      : undefined,
    isGrave: !mayRestore,
    leads: () => toList('tokens'),
  });
}
