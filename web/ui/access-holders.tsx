/** Who has a policy or a role. */
import type { RoleRow, TokenRow } from '../core/access.ts';
import type { Shown } from '../core/live-query.ts';
import { href } from '../core/router.ts';
import { accessWords } from '../words/access-words.ts';
import { uiWords } from '../words/ui-words.ts';

interface HoldersProps {
  readonly tokens: Shown<readonly TokenRow[]>;
  readonly roles?: Shown<readonly RoleRow[]>;
}

const MAX_SHOWN = 50;

export function Holders({ tokens, roles }: HoldersProps) {
  const say = accessWords.value;
  const links = [
    ...(roles?.value ?? []).map(({ ID, Name }) => ({
      name: `${say.role} ${Name}`,
      to: href('access', 'roles', ID),
    })),
    ...(tokens.value ?? []).map(({ AccessorID, Description }) => ({
      name: Description || AccessorID,
      to: href('access', 'tokens', AccessorID),
    })),
  ];
  if (tokens.value === undefined) return null;
  return (
    <section>
      <h2>{say.whoHas}</h2>
      {links.length === 0 && <p class="aside">{say.nobodyHas}</p>}
      <ul class="holders">
        {links.slice(0, MAX_SHOWN).map(({ name, to }) => (
          <li key={to}>
            <a href={to}>{name}</a>
          </li>
        ))}
      </ul>
      {links.length > MAX_SHOWN && (
        <p class="aside">{uiWords.value.more(links.length - MAX_SHOWN)}</p>
      )}
    </section>
  );
}
