/** What requests an intention lets through: one line each, the first that fits decides. */
import type { HeaderRow, PermissionRow } from '../core/mesh.ts';
import { intentionWords } from '../words/intention-words.ts';
import { uiWords } from '../words/ui-words.ts';
import { DecisionSign } from './decision.tsx';

export function Permissions({ of }: { readonly of: readonly PermissionRow[] }) {
  return (
    <>
      <ol class="permissions">
        {of.map((each, i) => (
          <li key={i}>
            <DecisionSign of={each.Action === 'allow' ? 'allow' : 'deny'} /> {inWords(each)}
          </li>
        ))}
      </ol>
      <p class="aside">{intentionWords.value.otherwise}</p>
    </>
  );
}

function inWords({ HTTP = {}, JWT }: PermissionRow): string {
  const say = intentionWords.value.permission;
  const { PathExact, PathPrefix, PathRegex, Methods, Header } = HTTP;
  const parts = [
    ...(PathExact ? [say.exact(PathExact)] : []),
    ...(PathPrefix ? [say.prefix(PathPrefix)] : []),
    ...(PathRegex ? [say.regex(PathRegex)] : []),
    ...(Methods?.length ? [say.methods(Methods.join(', '))] : []),
    ...(Header ?? []).map(headerInWords),
  ];
  const requests = parts.length === 0 ? say.every : parts.join(uiWords.value.comma);
  return JWT === undefined ? requests : `${requests}${uiWords.value.comma}${say.userToken}`;
}

function headerInWords({ Name, Invert, ...how }: HeaderRow): string {
  const say = intentionWords.value.permission;
  const [said] = Object.entries(how).filter(([, value]) => typeof value === 'string');
  const text = say.header(Name, said === undefined ? '' : say.is(said[0], String(said[1])));
  return Invert === true ? say.not(text) : text;
}
